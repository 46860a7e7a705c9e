#include "describe/structures.h"

#include <gtest/gtest.h>

#include <set>

namespace pvgpu::describe {
namespace {

TEST(Structures, AreThereForEveryQuestion) {
  EXPECT_GE(structures(Kind::kFeature).size(), 200u);
  EXPECT_GE(structures(Kind::kProperty).size(), 90u);
  EXPECT_GE(structures(Kind::kFormat).size(), 4u);
  EXPECT_GE(structures(Kind::kQueueFamily).size(), 5u);
  EXPECT_GE(structures(Kind::kMemory).size(), 1u);
  for (Kind kind : kKinds) {
    std::set<VkStructureType> types;
    for (const Structure& structure : structures(kind)) {
      EXPECT_TRUE(types.insert(structure.type).second) << structure.name;
      EXPECT_TRUE(structure.core != 0 || structure.extensions[0]) << structure.name;
      EXPECT_EQ(find_structure(kind, structure.name), &structure);
    }
  }
  EXPECT_EQ(find_structure(Kind::kFeature, "VkPhysicalDeviceVulkan12Features")->core, VK_API_VERSION_1_2);
  EXPECT_STREQ(find_structure(Kind::kFeature, "VkPhysicalDeviceIndexTypeUint8Features")->extensions,
               "VK_EXT_index_type_uint8 VK_KHR_index_type_uint8");
  EXPECT_EQ(find_structure(Kind::kFeature, "VkPhysicalDeviceVulkan12Properties"), nullptr);
  EXPECT_TRUE(knows_extension("VK_AMDX_shader_enqueue"));
  EXPECT_TRUE(knows_extension("VK_KHR_shader_bfloat16"));
  EXPECT_FALSE(knows_extension("VK_KHR_none"));
}

std::string value(const std::vector<Fact>& facts, std::string_view member) {
  for (const Fact& fact : facts)
    if (fact.member == member) return fact.value;
  return "missing";
}

TEST(Structures, AreReadMemberByMember) {
  VkPhysicalDeviceProperties properties{};
  properties.apiVersion = VK_MAKE_API_VERSION(0, 1, 4, 305);
  std::snprintf(properties.deviceName, sizeof properties.deviceName, "a device");
  properties.pipelineCacheUUID[0] = 0xa5;
  properties.limits.maxComputeWorkGroupCount[1] = 7;
  properties.limits.framebufferColorSampleCounts = 5;
  properties.limits.timestampPeriod = 0.1f;
  std::vector<Fact> facts;
  Reader reader(facts, Kind::kProperty, "", "VkPhysicalDeviceProperties");
  read_plain(reader, properties);
  EXPECT_EQ(value(facts, "apiVersion"), "1.4.305");
  EXPECT_EQ(value(facts, "deviceName"), "a device");
  EXPECT_EQ(value(facts, "pipelineCacheUUID"), "a5000000000000000000000000000000");
  EXPECT_EQ(value(facts, "limits.maxComputeWorkGroupCount"), "[0, 7, 0]");
  EXPECT_EQ(value(facts, "limits.framebufferColorSampleCounts"), "0x5");
  EXPECT_EQ(value(facts, "limits.timestampPeriod"), "0.100000001");
}

TEST(Structures, ShowAsManyMemoryTypesAsThereAre) {
  VkPhysicalDeviceMemoryProperties memory{};
  memory.memoryTypeCount = 1;
  memory.memoryTypes[0] = {VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT, 3};
  std::vector<Fact> facts;
  Reader reader(facts, Kind::kMemory, "", "VkPhysicalDeviceMemoryProperties");
  read_plain(reader, memory);
  EXPECT_EQ(value(facts, "memoryTypes[0].propertyFlags"), "0x2");
  EXPECT_EQ(value(facts, "memoryTypes[0].heapIndex"), "3");
  EXPECT_EQ(value(facts, "memoryTypes[1].heapIndex"), "missing");
}

TEST(Structures, GetRoomForTheirArraysInASecondCall) {
  VkPhysicalDeviceLayeredApiPropertiesListKHR list{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_LAYERED_API_PROPERTIES_LIST_KHR};
  const Structure& structure = *find_structure(Kind::kProperty, "VkPhysicalDeviceLayeredApiPropertiesListKHR");
  Room room;
  structure.make_room(room, &list);
  EXPECT_FALSE(room.given());
  list.layeredApiCount = 2;
  structure.make_room(room, &list);
  ASSERT_TRUE(room.given());
  EXPECT_EQ(list.pLayeredApis[1].sType, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_LAYERED_API_PROPERTIES_KHR);
  list.pLayeredApis[1].vendorID = 9;
  std::vector<Fact> facts;
  Reader reader(facts, Kind::kProperty, "", structure.name);
  structure.read(reader, &list);
  EXPECT_EQ(value(facts, "pLayeredApis[1].vendorID"), "9");
}

}  // namespace
}  // namespace pvgpu::describe
