#include "parity/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "host/memory_types.h"
#include "host/testing/profiles.h"
#include "parity/guest_driver.h"
#include "parity/print.h"

namespace pvgpu::parity {
namespace {

using describe::Device;
using describe::Fact;
using describe::Kind;
using testing::HasSubstr;

Fact extension(const char* name, const char* version = "1") { return {Kind::kExtension, name, "", "", version}; }
Fact feature(const char* structure, const char* member, const char* value) {
  return {Kind::kFeature, "", structure, member, value};
}
Fact property(const char* structure, const char* member, const char* value) {
  return {Kind::kProperty, "", structure, member, value};
}

std::string_view why_not(std::string_view name) { return name == "VK_EXT_shader_object" ? "the protocol lacks it" : ""; }

// Three sides that say the same of one software driver, for a test to change.
struct Sample {
  Sample() {
    const std::vector<Fact> facts = {
        property("VkPhysicalDeviceProperties", "apiVersion", "1.4.305"),
        property("VkPhysicalDeviceProperties", "deviceName", "llvmpipe"),
        property("VkPhysicalDeviceProperties", "limits.maxImageDimension1D", "16384"),
        property("VkPhysicalDeviceDriverProperties", "driverInfo", "Mesa 26.1.6"),
        feature("VkPhysicalDeviceFeatures", "geometryShader", "1"),
        extension("VK_KHR_maintenance1"),
        {Kind::kMemory, "", "VkPhysicalDeviceMemoryProperties", "memoryTypes[0].propertyFlags", "0xf"},
        {Kind::kFormat, "VK_FORMAT_R8_UNORM", "VkFormatProperties", "linearTilingFeatures", "0x1"},
    };
    native.facts = offer.facts = guest.facts = facts;
  }
  static void set(Device& device, const char* member, const char* value) {
    std::ranges::find(device.facts, member, &Fact::member)->value = value;
  }
  void everywhere(const Fact& fact) {
    for (Device* device : {&native, &offer, &guest}) device->facts.push_back(fact);
  }
  Table compare() const {
    return parity::compare({profile, {.why_not = &why_not}, native_instance, guest_instance, native, offer, guest});
  }
  // The only difference.
  Difference only() const {
    const Table table = compare();
    EXPECT_EQ(table.differences.size(), 1u);
    return table.differences.empty() ? Difference{} : table.differences[0];
  }

  host::DriverProfile profile = host::testing::software();
  std::vector<Fact> native_instance, guest_instance;
  Device native, offer, guest;
};

TEST(Compare, FindsNothingBetweenEquals) {
  const Table table = Sample().compare();
  EXPECT_TRUE(table.differences.empty());
  EXPECT_TRUE(table.explained());
  EXPECT_THAT(to_text(std::vector{table}, false), HasSubstr("no differences"));
}

TEST(Compare, TellsWhoTakesAnExtensionAway) {
  Sample sample;
  sample.native.facts.push_back(extension("VK_EXT_shader_object"));
  EXPECT_EQ(sample.only().sign, '-');
  EXPECT_EQ(sample.only().name, "VK_EXT_shader_object");
  EXPECT_EQ(sample.only().cause, Cause::kProtocol);
  EXPECT_EQ(sample.only().reason, "the protocol lacks it");

  sample = {};
  sample.native.facts.push_back(extension("VK_EXT_external_memory_host"));
  EXPECT_EQ(sample.only().cause, Cause::kHidden);
  EXPECT_EQ(sample.only().reason, host::hidden_reason("VK_EXT_external_memory_host"));

  sample = {};
  sample.native.facts.push_back(extension("VK_EXT_ycbcr_image_arrays"));
  sample.offer.facts.push_back(extension("VK_EXT_ycbcr_image_arrays"));
  EXPECT_EQ(sample.only().cause, Cause::kGuestDriver);

  sample = {};
  sample.native.facts.push_back(extension("VK_KHR_maintenance2"));
  EXPECT_EQ(sample.only().cause, Cause::kUnexplained);
  EXPECT_FALSE(sample.compare().explained());
}

TEST(Compare, TellsWhoAddsAnExtension) {
  Sample sample;
  sample.guest.facts.push_back(extension("VK_EXT_tooling_info"));
  EXPECT_EQ(sample.only().sign, '+');
  EXPECT_EQ(sample.only().cause, Cause::kGuestAdds);

  sample = {};
  sample.guest.facts.push_back(extension("VK_EXT_image_drm_format_modifier"));
  sample.offer.facts.push_back(extension("VK_EXT_image_drm_format_modifier"));
  EXPECT_EQ(sample.only().cause, Cause::kEmulated);
  EXPECT_THAT(sample.only().reason, HasSubstr("LINEAR is linear tiling"));
}

TEST(Compare, MakesOneLineOfAStructureThatComesWithAnExtension) {
  Sample sample;
  sample.native.facts.push_back(extension("VK_EXT_shader_object"));
  sample.native.facts.push_back(feature("VkPhysicalDeviceShaderObjectFeaturesEXT", "shaderObject", "1"));
  const Table table = sample.compare();
  ASSERT_EQ(table.differences.size(), 2u);
  EXPECT_EQ(table.differences[1].name, "VkPhysicalDeviceShaderObjectFeaturesEXT");
  EXPECT_EQ(table.differences[1].cause, Cause::kProtocol);
  EXPECT_EQ(table.differences[1].reason, "it comes with VK_EXT_shader_object");
}

TEST(Compare, MakesOneLineOfAStructureThatComesWithALevel) {
  Sample sample;
  for (const char* member : {"globalPriorityQuery", "shaderSubgroupRotate"})
    sample.native.facts.push_back(feature("VkPhysicalDeviceVulkan14Features", member, "1"));
  Sample::set(sample.guest, "apiVersion", "1.3.269");
  const Table table = sample.compare();
  ASSERT_EQ(table.differences.size(), 2u);
  EXPECT_EQ(table.differences[0].name, "VkPhysicalDeviceVulkan14Features");
  EXPECT_EQ(table.differences[0].reason, "it comes with Vulkan 1.4");
  EXPECT_EQ(table.differences[0].cause, Cause::kGuestDriver);
  EXPECT_EQ(table.differences[1].name, "VkPhysicalDeviceProperties.apiVersion");
}

TEST(Compare, TellsWhoChangesAValue) {
  Sample sample;
  Sample::set(sample.guest, "deviceName", "Virtio-GPU Venus (llvmpipe)");
  EXPECT_EQ(sample.only().sign, '~');
  EXPECT_EQ(sample.only().native, "llvmpipe");
  EXPECT_EQ(sample.only().guest, "Virtio-GPU Venus (llvmpipe)");
  EXPECT_EQ(sample.only().cause, Cause::kGuestDriver);

  // Nobody knows why a guest would do that.
  sample = {};
  Sample::set(sample.guest, "limits.maxImageDimension1D", "4096");
  EXPECT_EQ(sample.only().cause, Cause::kUnexplained);
  EXPECT_THAT(sample.only().reason, HasSubstr("the guest's driver changes it"));

  // Nor why we would.
  sample = {};
  Sample::set(sample.offer, "geometryShader", "0");
  Sample::set(sample.guest, "geometryShader", "0");
  EXPECT_EQ(sample.only().cause, Cause::kUnexplained);
  EXPECT_THAT(sample.only().reason, HasSubstr("pvgpu changes it"));

  sample = {};
  sample.profile = host::testing::software();
  sample.profile.memory_plan[0].hidden = true;
  sample.profile.memory_plan[0].verdict = "cannot be imported";
  host::judge(sample.profile, {});
  Sample::set(sample.offer, "memoryTypes[0].propertyFlags", "0x1");
  Sample::set(sample.guest, "memoryTypes[0].propertyFlags", "0x1");
  EXPECT_EQ(sample.only().cause, Cause::kHidden);
  EXPECT_EQ(sample.only().reason, "cannot be imported");

  sample = {};
  sample.profile = host::testing::software();
  host::split_memory_types(sample.profile);
  host::judge(sample.profile, {});
  sample.offer.facts.push_back({Kind::kMemory, "", "VkPhysicalDeviceMemoryProperties", "memoryTypes[1].propertyFlags", "0xf"});
  sample.guest.facts.push_back(sample.offer.facts.back());
  EXPECT_EQ(sample.only().cause, Cause::kEmulated);
  EXPECT_EQ(sample.only().reason, sample.profile.verdict(host::kMemoryForImages)->reason);
}

TEST(Compare, ListsWhatTheDriverItselfLacks) {
  Sample sample;
  EXPECT_TRUE(std::ranges::none_of(sample.compare().driver_lacks, [](const Lack& lack) { return lack.kind == Kind::kFeature; }));
  sample.everywhere(feature("VkPhysicalDeviceFeatures", "logicOp", "0"));
  sample.everywhere(feature("VkPhysicalDeviceMultiviewFeatures", "multiviewGeometryShader", "0"));
  sample.everywhere(feature("VkPhysicalDeviceVulkan11Features", "multiviewGeometryShader", "0"));
  sample.everywhere(feature("VkPhysicalDeviceVulkan11Features", "geometryShader", "0"));  // another structure has it
  const Table table = sample.compare();
  EXPECT_TRUE(table.differences.empty());
  std::vector<std::string> features, extensions;
  for (const Lack& lack : table.driver_lacks) (lack.kind == Kind::kFeature ? features : extensions).push_back(lack.name);
  EXPECT_THAT(features, ::testing::ElementsAre("logicOp", "multiviewGeometryShader"));
  EXPECT_THAT(extensions, ::testing::Contains("VK_EXT_transform_feedback"));
  EXPECT_THAT(to_text(std::vector{table}, false), HasSubstr("the driver lacks it\n      features: logicOp multiviewGeometryShader\n      extensions: "));
  EXPECT_THAT(to_json(std::vector{table}), HasSubstr("\"name\": \"logicOp\""));
}

TEST(Compare, BlamesTheProtocolForStructuresThatItDoesNotCarry) {
  Sample sample;
  sample.everywhere(feature("VkPhysicalDeviceMemoryPriorityFeaturesEXT", "memoryPriority", "1"));
  sample.offer.facts.pop_back();
  sample.guest.facts.back().value = "0";
  EXPECT_EQ(sample.only().cause, Cause::kProtocol);
}

TEST(Compare, LooksAtABudgetOnlyForBeingThere) {
  Sample sample;
  sample.everywhere({Kind::kMemory, "", "VkPhysicalDeviceMemoryBudgetPropertiesEXT", "heapUsage", "[1]"});
  sample.guest.facts.back().value = "[2]";
  EXPECT_TRUE(sample.compare().differences.empty());
}

TEST(Compare, NamesExtensionsThatItCannotLookInto) {
  Sample sample;
  sample.everywhere(extension("VK_EXT_from_the_future"));
  EXPECT_THAT(sample.compare().unread_extensions, testing::ElementsAre("VK_EXT_from_the_future"));
}

TEST(Compare, LeavesInstancesToTheGuest) {
  Sample sample;
  sample.native_instance = {{Kind::kInstanceExtension, "VK_KHR_display", "", "", "23"}};
  EXPECT_EQ(sample.only().cause, Cause::kGuestAdds);
  EXPECT_FALSE(sample.only().reason.empty());
}

TEST(GuestDriver, KnowsVersionsOfMesa) {
  EXPECT_EQ(mesa_version("Mesa 25.0.7-2+deb13u1"), 2500u);
  EXPECT_EQ(mesa_version("Mesa 26.1.0-devel (git-1234)"), 2601u);
  EXPECT_EQ(mesa_version("Mesa x"), 0u);
  EXPECT_EQ(mesa_version("580.65"), 0u);
}

TEST(GuestDriver, ExplainsByVersion) {
  const char* sparse = "VkPhysicalDeviceFeatures.sparseBinding";
  EXPECT_NE(guest_driver_reason(Kind::kFeature, sparse, 2500), "");
  EXPECT_EQ(guest_driver_reason(Kind::kFeature, sparse, 2601), "");
  EXPECT_EQ(guest_driver_reason(Kind::kFeature, "VkPhysicalDeviceFeatures.geometryShader", 2500), "");
  EXPECT_NE(guest_driver_reason(Kind::kProperty, "VkPhysicalDeviceVulkan12Properties.driverID", 2500), "");
  EXPECT_NE(guest_driver_reason(Kind::kProperty, "VkPhysicalDeviceProperties.apiVersion", 2500),
            guest_driver_reason(Kind::kProperty, "VkPhysicalDeviceProperties.apiVersion", 2601));
  EXPECT_NE(guest_driver_reason(Kind::kFormat,
                                "VK_FORMAT_G8_B8R8_2PLANE_420_UNORM VkFormatProperties3.linearTilingFeatures", 2601),
            "");
  EXPECT_EQ(guest_driver_reason(Kind::kFormat, "VK_FORMAT_R8_UNORM VkFormatProperties.linearTilingFeatures", 2601), "");
}

TEST(Print, NamesEveryDifferenceWithItsReason) {
  Sample sample;
  sample.native.facts.push_back(extension("VK_EXT_shader_object"));
  Sample::set(sample.guest, "limits.maxImageDimension1D", "4096");
  const std::vector tables = {sample.compare()};
  const std::string text = to_text(tables, false);
  EXPECT_THAT(text, HasSubstr("  the protocol lacks it\n    the protocol lacks it\n      - extension VK_EXT_shader_object\n"));
  EXPECT_THAT(text, HasSubstr("  unexplained\n"));
  EXPECT_THAT(text, HasSubstr("~ property VkPhysicalDeviceProperties.limits.maxImageDimension1D: 16384 -> 4096\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("\x1b[")));
  EXPECT_THAT(to_text(tables, true), HasSubstr("\x1b["));
  const std::string json = to_json(tables);
  EXPECT_THAT(json, HasSubstr("\"name\": \"VK_EXT_shader_object\""));
  EXPECT_THAT(json, HasSubstr("\"explained\": false"));
}

}  // namespace
}  // namespace pvgpu::parity
