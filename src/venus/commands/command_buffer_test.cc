// What barriers become on their way to the driver.
#include <gmock/gmock.h>

#include <cstring>
#include <mutex>
#include <span>
#include <vector>

#include "venus/testing/session.h"

namespace pvgpu::venus {
namespace {

using namespace testing;
using namespace protocol;
using ::testing::ElementsAre;
using ::testing::FieldsAre;

// The queue families of the image barriers that the driver gets.
class Barriers final : public fake_driver::Observer {
 public:
  struct Families {
    uint32_t from, to;
  };
  Barriers() { fake_driver::observe(this); }
  ~Barriers() { fake_driver::observe(nullptr); }

  void called(const char* function, void* arguments) override {
    if (std::strcmp(function, "vkCmdPipelineBarrier") == 0) {
      const auto& args = *static_cast<CmdPipelineBarrierArgs*>(arguments);
      add(args.pImageMemoryBarriers, args.imageMemoryBarrierCount);
    } else if (std::strcmp(function, "vkCmdPipelineBarrier2") == 0) {
      const VkDependencyInfo& info = *static_cast<CmdPipelineBarrier2Args*>(arguments)->pDependencyInfo;
      add(info.pImageMemoryBarriers, info.imageMemoryBarrierCount);
    }
  }

  std::vector<Families> seen() {
    std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  template <class Barrier>
  void add(const Barrier* barriers, uint32_t count) {
    std::lock_guard lock(mutex_);
    for (const Barrier& barrier : std::span(barriers, count)) seen_.push_back({barrier.srcQueueFamilyIndex, barrier.dstQueueFamilyIndex});
  }

  std::mutex mutex_;
  std::vector<Families> seen_;
};

class CommandBufferTest : public OnFakeDriver {
 protected:
  // Of `image`, from family 0 to others and back, as Mesa's guests do with what they present, and to family 1.
  template <class Barrier>
  static std::vector<Barrier> transfers(VkStructureType type, VkImage image) {
    std::vector<Barrier> barriers(3);
    for (Barrier& barrier : barriers) {
      barrier = {.sType = type, .oldLayout = VK_IMAGE_LAYOUT_GENERAL, .newLayout = VK_IMAGE_LAYOUT_GENERAL, .srcQueueFamilyIndex = 0,
                 .dstQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT, .image = image, .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    }
    std::swap(barriers[1].srcQueueFamilyIndex, barriers[1].dstQueueFamilyIndex);
    barriers[2].dstQueueFamilyIndex = 1;
    return barriers;
  }
  // What the driver gets of them, in two forms.
  static std::vector<Barriers::Families> driver_gets(Session& guest, VkImage image) {
    const VkCommandBuffer commands = guest.allocate_command_buffer(guest.create_command_pool());
    const auto old = transfers<VkImageMemoryBarrier>(VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER, image);
    const auto of_today = transfers<VkImageMemoryBarrier2>(VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2, image);
    const VkDependencyInfo info{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO, .imageMemoryBarrierCount = 3, .pImageMemoryBarriers = of_today.data()};
    Barriers driver;
    guest.ring().send(CmdPipelineBarrierArgs{commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 0,
                                             nullptr, 3, old.data()});
    EXPECT_TRUE(guest.ring().run(CmdPipelineBarrier2Args{commands, &info}));
    return driver.seen();
  }
};

TEST_F(CommandBufferTest, WhatIsSharedIsHandedOver) {
  Session guest;
  const VkImage shared = guest.create_image(VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
  const auto out = FieldsAre(0u, VK_QUEUE_FAMILY_EXTERNAL), back = FieldsAre(VK_QUEUE_FAMILY_EXTERNAL, 0u), within = FieldsAre(0u, 1u);
  EXPECT_THAT(driver_gets(guest, shared), ElementsAre(out, back, within, out, back, within));
}

TEST_F(CommandBufferTest, WhatNobodyElseSeesStaysWhereItIs) {
  Session guest;
  const auto stays = FieldsAre(VK_QUEUE_FAMILY_IGNORED, VK_QUEUE_FAMILY_IGNORED), within = FieldsAre(0u, 1u);
  EXPECT_THAT(driver_gets(guest, guest.create_image()), ElementsAre(stays, stays, within, stays, stays, within));
  // This driver's memory cannot be given away: what the guest exports is a stand-in.
  const VkImage stand_in = guest.create_image(VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, VK_IMAGE_TILING_LINEAR);
  EXPECT_THAT(driver_gets(guest, stand_in), ElementsAre(stays, stays, within, stays, stays, within));
}

}  // namespace
}  // namespace pvgpu::venus
