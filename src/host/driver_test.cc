// The host on a real driver, which is lavapipe where the tests run. The cases are skipped, with a
// message, only where there is no driver at all. Run under the validation layer too, where no
// message may appear.
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/emulation/linear_modifier.h"
#include "host/extensions.h"
#include "host/external_info.h"
#include "host/host.h"
#include "host/info.h"
#include "host/memory.h"
#include "host/memory_types.h"
#include "host/probe_instance.h"
#include "host/test_device.h"

namespace pvgpu::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Driver : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<Host>> opened = Host::open({});
    if (!opened && opened.error().what.find("no Vulkan dr") != std::string::npos) {
      GTEST_SKIP() << opened.error().what << ": " << opened.error().hint;
    }
    ASSERT_TRUE(opened) << opened.error().what;
    host_ = std::move(*opened);
  }
  const DriverProfile& profile() const { return host_->devices()[0]; }

  std::unique_ptr<Host> host_;
};

TEST_F(Driver, SharesSomeCoherentMemory) {
  for (const DriverProfile& profile : host_->devices()) {
    const VkPhysicalDeviceMemoryProperties guest = guest_memory_properties(profile);
    int shared = 0;
    for (uint32_t i = 0; i < guest.memoryTypeCount; ++i) {
      EXPECT_FALSE(profile.memory_plan[i].verdict.empty());
      if (!(guest.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) continue;
      EXPECT_NE(profile.memory_plan[i].strategy, MemoryStrategy::kNone);
      EXPECT_TRUE(guest.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
      ++shared;
    }
    EXPECT_GT(shared, 0) << profile.identity.name;
  }
}

TEST_F(Driver, IsKnownToAnotherProcessByItsJson) {
  HostOptions options;
  options.profile_json = host_->profiles_as_json();
  const auto other = Host::open(options);
  ASSERT_TRUE(other) << other.error().what;
  ASSERT_EQ((*other)->devices().size(), host_->devices().size());
  EXPECT_EQ((*other)->profiles_as_json(), options.profile_json);
}

TEST_F(Driver, IsFoundByItsIdentity) {
  const Result<Loader> loader = Loader::open("");
  ASSERT_TRUE(loader);
  const Result<ProbeInstance> instance = ProbeInstance::create(*loader);
  ASSERT_TRUE(instance);
  const ProbeInstance::Device& device = instance->devices()[0];
  EXPECT_EQ(device.summary.identity, profile().identity);
  const VkPhysicalDevice handles[] = {device.handle};
  EXPECT_THAT(identify(loader->get_instance_proc_addr(), instance->handle(), handles),
              ElementsAre(profile().identity));
}

TEST_F(Driver, IsSelectedByNameOrRefused) {
  HostOptions options;
  options.gpu_selectors = {profile().identity.name};
  if (host_->devices().size() == 1) {
    const auto selected = Host::open(options);
    ASSERT_TRUE(selected) << selected.error().what;
    EXPECT_EQ((*selected)->devices().size(), 1u);
  }
  options.gpu_selectors = {"no such gpu"};
  const auto refused = Host::open(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().hint, HasSubstr(profile().identity.name));
}

TEST_F(Driver, IsDescribed) {
  const std::string text = info_text(*host_, false);
  EXPECT_THAT(text, HasSubstr(profile().identity.name));
  EXPECT_THAT(text, HasSubstr(profile().memory_plan[0].verdict));
  EXPECT_THAT(text, HasSubstr("passed through"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(info_text(*host_, true).find('\x1b'), std::string::npos);
  const auto json = nlohmann::json::parse(info_json(*host_), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["devices"][0]["name"], profile().identity.name);
  EXPECT_EQ(json["devices"][0]["memory_types"].size(), profile().memory.memoryTypeCount);
  const auto list = list_gpus_text({});
  ASSERT_TRUE(list);
  EXPECT_THAT(*list, HasSubstr("0  " + profile().identity.name));
}

TEST(NoDriver, IsToldWithTheIcdFiles) {
  const char* before = std::getenv("VK_DRIVER_FILES");
  const std::string kept = before ? before : "";
  ::setenv("VK_DRIVER_FILES", "/nonexistent/icd.json", 1);
  const auto host = Host::open({});
  if (before) {
    ::setenv("VK_DRIVER_FILES", kept.c_str(), 1);
  } else {
    ::unsetenv("VK_DRIVER_FILES");
  }
  ASSERT_FALSE(host);
  EXPECT_THAT(host.error().what, HasSubstr("no Vulkan dr"));
  EXPECT_THAT(host.error().hint, HasSubstr("/nonexistent/icd.json (cannot be read)"));
}

// A loader passes over a layer that it does not find, and host_driver_test.validated would then prove nothing.
TEST(Validation, TheLayerIsInstalled) {
  const char* wanted = std::getenv("VK_INSTANCE_LAYERS");
  const std::string_view layer_name = wanted ? wanted : "VK_LAYER_KHRONOS_validation";
  const Result<Loader> loader = Loader::open("");
  ASSERT_TRUE(loader);
  auto enumerate = reinterpret_cast<PFN_vkEnumerateInstanceLayerProperties>(
      loader->get_instance_proc_addr()(nullptr, "vkEnumerateInstanceLayerProperties"));
  ASSERT_NE(enumerate, nullptr);
  uint32_t count = 0;
  ASSERT_EQ(enumerate(&count, nullptr), VK_SUCCESS);
  std::vector<VkLayerProperties> found(count);
  ASSERT_EQ(enumerate(&count, found.data()), VK_SUCCESS);
  EXPECT_TRUE(std::any_of(
      found.begin(), found.end(),
      [&](const VkLayerProperties& layer) { return std::string_view(layer.layerName) == layer_name; }))
      << layer_name << " is not installed";
}

// A VkDevice as a context would create it for a guest.
class GuestDevice : public Driver {
 protected:
  void SetUp() override {
    Driver::SetUp();
    if (!host_) return;
    loader_.emplace(*Loader::open(""));
    instance_.emplace(*ProbeInstance::create(*loader_));
    physical_ = instance_->devices()[0].handle;
    const InstanceFunctions& f = instance_->functions();
    Step<TestDevice> device = TestDevice::create(f, physical_, profile());
    ASSERT_TRUE(device) << device.error();
    device_.emplace(std::move(*device));
    load(create_image_, "vkCreateImage");
    load(destroy_image_, "vkDestroyImage");
    load(image_requirements_, "vkGetImageMemoryRequirements");
    load(bind_image_, "vkBindImageMemory");
    functions_ = {device_->functions().AllocateMemory, device_->functions().FreeMemory,
                  device_->functions().GetMemoryFdKHR};
  }
  template <class Function>
  void load(Function& function, const char* name) {
    function = reinterpret_cast<Function>(
        instance_->functions().get_device_proc_addr(device_->handle(), name));
    ASSERT_NE(function, nullptr) << name;
  }
  uint32_t shared_type() const {
    for (uint32_t i = 0; i < profile().memory.memoryTypeCount; ++i) {
      if (profile().memory_plan[i].strategy != MemoryStrategy::kNone) return i;
    }
    return 0;
  }
  SharedAllocation allocate(VkDeviceSize size, const void* next) {
    VkMemoryAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.pNext = next;
    info.allocationSize = size;
    info.memoryTypeIndex = shared_type();
    auto allocation = allocate_memory(profile(), functions_, device_->handle(), info);
    EXPECT_TRUE(allocation);
    return allocation ? std::move(*allocation) : SharedAllocation{};
  }
  // Creates, allocates dedicated as a guest would, binds and destroys one image.
  void bind_image(VkImageCreateInfo info);

  std::optional<Loader> loader_;
  std::optional<ProbeInstance> instance_;
  std::optional<TestDevice> device_;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  MemoryFunctions functions_;
  PFN_vkCreateImage create_image_ = nullptr;
  PFN_vkDestroyImage destroy_image_ = nullptr;
  PFN_vkGetImageMemoryRequirements image_requirements_ = nullptr;
  PFN_vkBindImageMemory bind_image_ = nullptr;
};

void GuestDevice::bind_image(VkImageCreateInfo info) {
  const auto types = image_handle_types(
      profile(), info,
      driver_image_query(instance_->functions().get_image_format_properties2, physical_));
  EXPECT_NE(types, 0u);
  VkExternalMemoryImageCreateInfo storage{};
  set_image_handle_types(info, types, storage);
  VkImage image = VK_NULL_HANDLE;
  ASSERT_EQ(create_image_(device_->handle(), &info, nullptr, &image), VK_SUCCESS);
  VkMemoryRequirements needs{};
  image_requirements_(device_->handle(), image, &needs);
  EXPECT_TRUE((needs.memoryTypeBits >> shared_type()) & 1);
  VkMemoryDedicatedAllocateInfo dedicated{};
  dedicated.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO;
  dedicated.image = image;
  SharedAllocation allocation = allocate(needs.size, &dedicated);
  EXPECT_EQ(bind_image_(device_->handle(), image, allocation.memory, 0), VK_SUCCESS);
  destroy_image_(device_->handle(), image, nullptr);
  free_memory(functions_, device_->handle(), allocation);
}

VkImageCreateInfo colour_image(VkImageTiling tiling) {
  VkImageCreateInfo info = usual_image(tiling);
  info.extent = {300, 200, 1};
  info.usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
  return info;
}

TEST_F(GuestDevice, MemoryIsSeenThroughTheGuestsDescriptor) {
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = TestDevice::kBufferSize;
  info.usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT;
  const auto types = buffer_handle_types(
      profile(), info,
      driver_buffer_query(instance_->functions().get_external_buffer_properties, physical_));
  EXPECT_EQ(types, profile().buffer_handle_types);
  VkExternalMemoryBufferCreateInfo storage{};
  set_buffer_handle_types(info, types, storage);
  const TestDeviceFunctions& f = device_->functions();
  VkBuffer buffer = VK_NULL_HANDLE;
  ASSERT_EQ(f.CreateBuffer(device_->handle(), &info, nullptr, &buffer), VK_SUCCESS);
  VkMemoryRequirements needs{};
  f.GetBufferMemoryRequirements(device_->handle(), buffer, &needs);
  SharedAllocation allocation = allocate(needs.size, nullptr);
  ASSERT_EQ(f.BindBufferMemory(device_->handle(), buffer, allocation.memory, 0), VK_SUCCESS);
  const auto fd = export_memory(functions_, device_->handle(), allocation);
  ASSERT_TRUE(fd);
  const size_t mapped_size = allocation.size;
  void* mapped = ::mmap(nullptr, mapped_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0);
  ASSERT_NE(mapped, MAP_FAILED);
  auto* words = static_cast<uint32_t*>(mapped);
  constexpr size_t kPartWords = TestDevice::kPart / sizeof(uint32_t);
  words[kPartWords + 5] = 0x67756573;
  ASSERT_TRUE(device_->run_gpu(buffer, 0xabcd0123));
  EXPECT_EQ(words[0], 0xabcd0123u);
  EXPECT_EQ(words[kPartWords - 1], 0xabcd0123u);
  EXPECT_EQ(words[2 * kPartWords + 5], 0x67756573u);
  f.DestroyBuffer(device_->handle(), buffer, nullptr);
  free_memory(functions_, device_->handle(), allocation);
  // The guest's mapping outlives the memory, as it may.
  EXPECT_EQ(words[0], 0xabcd0123u);
  ::munmap(mapped, mapped_size);
}

TEST_F(GuestDevice, BindsALinearImage) {
  bind_image(colour_image(VK_IMAGE_TILING_LINEAR));
}

TEST_F(GuestDevice, BindsAnOptimalImageWhereAllMemoryIsShared) {
  if (!profile().all_types_host_visible) GTEST_SKIP() << "this device has memory of its own";
  bind_image(colour_image(VK_IMAGE_TILING_OPTIMAL));
}

TEST_F(GuestDevice, BindsAnImageOfTheLinearModifier) {
  const uint64_t modifiers[] = {linear_modifier::kLinear};
  VkImageDrmFormatModifierListCreateInfoEXT list{};
  list.sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT;
  list.drmFormatModifierCount = 1;
  list.pDrmFormatModifiers = modifiers;
  VkExternalMemoryImageCreateInfo external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO;
  external.pNext = &list;
  external.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
  VkImageCreateInfo info = colour_image(VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT);
  info.pNext = &external;
  if (!profile().emulation.linear_modifier) GTEST_SKIP() << "the driver has modifiers of its own";
  ASSERT_TRUE(linear_modifier::rewrite_image(info));
  bind_image(info);
}

}  // namespace
}  // namespace pvgpu::host
