#include "describe/fact.h"

#include <gtest/gtest.h>

namespace pvgpu::describe {
namespace {

TEST(Fact, SurvivesBeingText) {
  Description description;
  description.instance = {{Kind::kInstanceExtension, "VK_KHR_surface", "", "", "25"}};
  description.devices.resize(2);
  description.devices[0].facts = {
      {Kind::kProperty, "", "VkPhysicalDeviceProperties", "deviceName", "a\tname\nof \\n lines"},
      {Kind::kFormat, "VK_FORMAT_R8_UNORM", "VkFormatProperties", "bufferFeatures", "0x10"}};
  const auto read = from_text(to_text(description));
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->instance.size(), 1u);
  EXPECT_EQ(read->instance[0].subject, "VK_KHR_surface");
  ASSERT_EQ(read->devices.size(), 2u);
  EXPECT_EQ(read->devices[0].name(), "a\tname\nof \\n lines");
  EXPECT_EQ(read->devices[0].facts[1].name(), "VK_FORMAT_R8_UNORM VkFormatProperties.bufferFeatures");
  EXPECT_EQ(read->devices[0].facts[1].kind, Kind::kFormat);
  EXPECT_EQ(read->devices[0].facts[1].value, "0x10");
  EXPECT_TRUE(read->devices[1].facts.empty());
}

TEST(Fact, RefusesTextThatIsNotWhole) {
  Description description;
  description.instance = {{Kind::kInstanceExtension, "VK_KHR_surface", "", "", "25"}};
  const std::string text = to_text(description);
  EXPECT_TRUE(from_text(text));
  EXPECT_FALSE(from_text(""));
  EXPECT_FALSE(from_text("sh: pvgpu-describe: not found\n"));
  EXPECT_FALSE(from_text(text.substr(0, text.size() - 4))) << "without its last line";
  EXPECT_FALSE(from_text("pvgpu-describe 1\nspell\t\t\t\t\nend\n"));
  EXPECT_FALSE(from_text("pvgpu-describe 1\nmemory\t\t\nend\n"));
}

}  // namespace
}  // namespace pvgpu::describe
