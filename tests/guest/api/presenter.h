// Draws numbered frames into a window. Each frame is a picture of its number: every pixel of it
// tells the number and the pixel's cell, so whoever reads the window sees which frame it shows, and
// whether the frame is whole.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vulkan_client.h"
#include "window.h"

// What swapchains add to a device.
struct PresentingDevice : client::Device {
  uint32_t family = 0;
  bool present_wait = false;  // VK_KHR_present_id and VK_KHR_present_wait
  bool maintenance1 = false;  // VK_{KHR,EXT}_swapchain_maintenance1
  PFN_vkWaitForPresentKHR wait_for_present = nullptr;
  PFN_vkReleaseSwapchainImagesEXT release_images = nullptr;
};

// A device of the first GPU with a queue that draws, and the instance for `windows`.
PresentingDevice open_presenting(const WindowSystem& windows);

struct PresenterOptions {
  VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;
  uint32_t images = 3;     // at least
  uint32_t in_flight = 2;  // frames that the CPU is ahead of the GPU
  bool fences = false;     // each present signals a fence; needs maintenance1
};

// Whether swapchains of `window` can have this mode.
bool offers_mode(const PresentingDevice& device, Window& window, VkPresentModeKHR mode);

class Presenter {
 public:
  // `device` and `window` outlive it.
  Presenter(const PresentingDevice& device, Window& window, const PresenterOptions& options);
  ~Presenter();

  // Draws and presents the next frame, and handles swapchains that no longer fit.
  void draw();
  // Destroys the surface with all that is made from it, and makes it anew.
  void renew_surface();
  // Waits until the frame drawn last is on the screen. Needs present_wait.
  void wait_until_shown();
  // Acquires an image and gives it back undrawn. Needs maintenance1.
  void acquire_and_release();

  uint32_t frame() const { return frame_; }
  VkExtent2D extent() const { return extent_; }
  size_t images() const { return images_.size(); }
  uint32_t out_of_date() const { return out_of_date_; }
  uint32_t suboptimal() const { return suboptimal_; }

 private:
  struct Image {
    VkImage image = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE;
    VkSemaphore drawn = VK_NULL_HANDLE;
  };
  // What one frame needs until its fence is signalled.
  struct Slot {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    VkSemaphore acquired = VK_NULL_HANDLE;
    VkFence done = VK_NULL_HANDLE;
    VkFence presented = VK_NULL_HANDLE;  // with options.fences
    bool presenting = false;             // `presented` will be signalled
    client::Buffer cells;
  };

  void make_slots();
  void make_swapchain(VkSwapchainKHR old);
  void make_images();
  void recreate_swapchain();
  void destroy_swapchain(VkSwapchainKHR swapchain, std::vector<Image>& images);
  // Waits until nothing presented uses the slots' semaphores and fences.
  void wait_idle();
  uint32_t acquire(Slot& slot, bool& still_fits);
  void record(Slot& slot, const Image& image);
  bool present(Slot& slot, uint32_t index);

  const PresentingDevice& device_;
  Window& window_;
  const PresenterOptions options_;
  VkSurfaceKHR surface_ = VK_NULL_HANDLE;
  VkSwapchainKHR swapchain_ = VK_NULL_HANDLE;
  VkFormat format_ = VK_FORMAT_UNDEFINED;
  VkExtent2D extent_{};
  std::vector<Image> images_;
  std::vector<Slot> slots_;
  std::vector<VkFence> dropped_fences_;  // may never be signalled
  uint32_t frame_ = 0, out_of_date_ = 0, suboptimal_ = 0;
};
