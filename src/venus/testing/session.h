// A guest that has come as far as a device, on the fake driver: the session of the protocol
// reference, section 0. Also the fixture that checks what every test leaves behind at the driver.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "fake_driver/fake_driver.h"
#include "venus/testing/guest.h"

namespace pvgpu::venus::testing {

// The fake driver's host, opened once.
host::Host& fake_host();

class Session : public Guest {
 public:
  // How far to go: the stages of a guest's start.
  enum class Stage { kNothing, kInstance, kPhysicalDevice, kDevice, kQueue };
  explicit Session(Stage stage = Stage::kQueue, const RingOptions& options = {},
                   std::vector<const char*> extensions = {}, Context::Options context = {.name = "guest"});

  GuestRing& ring() { return *ring_; }
  uint64_t new_id() { return ++id_; }
  template <class H>
  H new_object() {
    return id<H>(new_id());
  }

  static constexpr uint64_t kRing = 0x55550000;
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;  // bound to timeline 1

  VkDevice create_device(const std::vector<const char*>& extensions = {});
  // Creates without waiting for the result, as Mesa does. The ids of the new objects.
  VkBuffer create_buffer(VkDeviceSize size);
  // `exported`: the handle types that its memory shall be exported as.
  VkImage create_image(VkExternalMemoryHandleTypeFlags exported = 0, VkImageTiling tiling = VK_IMAGE_TILING_OPTIMAL);
  VkFence create_fence();
  VkSemaphore create_semaphore();
  VkDeviceMemory allocate(VkDeviceSize size, uint32_t type = 1);
  VkCommandPool create_command_pool();
  VkCommandBuffer allocate_command_buffer(VkCommandPool pool);
  // Records a fill of the whole buffer, and submits it with `fence`.
  void fill(VkCommandBuffer commands, VkBuffer buffer, uint32_t value, VkFence fence);

 private:
  uint64_t id_ = 0;
  std::unique_ptr<GuestRing> ring_;
};

// Fails a test that leaves objects at the driver or that used it wrongly.
class OnFakeDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    fake_host();
    fake_driver::reset();
    objects_before_ = fake_driver::live_objects();
  }
  void TearDown() override {
    EXPECT_EQ(fake_driver::misuse(), "");
    EXPECT_EQ(fake_driver::live_objects(), objects_before_);
    fake_driver::reset();
  }
  size_t objects_before_ = 0;
};

}  // namespace pvgpu::venus::testing
