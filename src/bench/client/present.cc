#include "bench/client/frames.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

constexpr VkExtent2D kSize{256, 256};

// A swapchain on a surface that nobody sees, and a semaphore for each of its images.
class HeadlessWindow {
 public:
  explicit HeadlessWindow(const Gpu& gpu) : gpu_(gpu) {
    const VkHeadlessSurfaceCreateInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    check(gpu.vk.CreateHeadlessSurfaceEXT(gpu.instance, &info, nullptr, &surface_),
          "vkCreateHeadlessSurfaceEXT");
    create_swapchain();
    uint32_t count = 0;
    check(gpu.vk.GetSwapchainImagesKHR(gpu.device, swapchain_, &count, nullptr),
          "vkGetSwapchainImagesKHR");
    images_.resize(count);
    check(gpu.vk.GetSwapchainImagesKHR(gpu.device, swapchain_, &count, images_.data()),
          "vkGetSwapchainImagesKHR");
    for (uint32_t i = 0; i < count; ++i) drawn_.push_back(make_semaphore());
    for (uint32_t i = 0; i < kInFlight; ++i) acquired_.push_back(make_semaphore());
  }
  ~HeadlessWindow() {
    gpu_.vk.DeviceWaitIdle(gpu_.device);
    gpu_.vk.DestroySwapchainKHR(gpu_.device, swapchain_, nullptr);
    gpu_.vk.DestroySurfaceKHR(gpu_.instance, surface_, nullptr);
  }
  HeadlessWindow(const HeadlessWindow&) = delete;
  HeadlessWindow& operator=(const HeadlessWindow&) = delete;

  static constexpr uint32_t kInFlight = 2;

  void draw_and_present(Frames& frames) {
    VkCommandBuffer commands = frames.begin();  // the frame that used this semaphore is done
    const Semaphore& acquired = acquired_[frame_++ % kInFlight];
    uint32_t index = 0;
    check(gpu_.vk.AcquireNextImageKHR(gpu_.device, swapchain_, UINT64_MAX, acquired, VK_NULL_HANDLE,
                                      &index),
          "vkAcquireNextImageKHR");
    clear(commands, images_[index]);
    frames.submit(
        {.wait = acquired, .wait_stage = VK_PIPELINE_STAGE_TRANSFER_BIT, .signal = drawn_[index]});
    const VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                .waitSemaphoreCount = 1,
                                .pWaitSemaphores = drawn_[index].address(),
                                .swapchainCount = 1,
                                .pSwapchains = &swapchain_,
                                .pImageIndices = &index};
    check(gpu_.vk.QueuePresentKHR(gpu_.queue, &info), "vkQueuePresentKHR");
  }

 private:
  Semaphore make_semaphore() const {
    return Semaphore(gpu_, VkSemaphoreCreateInfo{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO});
  }

  void create_swapchain() {
    VkBool32 supported = VK_FALSE;
    check(gpu_.vk.GetPhysicalDeviceSurfaceSupportKHR(gpu_.physical, gpu_.queue_family, surface_,
                                                     &supported),
          "vkGetPhysicalDeviceSurfaceSupportKHR");
    if (!supported) fail("the queue cannot present");
    VkSurfaceCapabilitiesKHR capabilities;
    check(gpu_.vk.GetPhysicalDeviceSurfaceCapabilitiesKHR(gpu_.physical, surface_, &capabilities),
          "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    if (!(capabilities.supportedUsageFlags & VK_IMAGE_USAGE_TRANSFER_DST_BIT))
      fail("images cannot be cleared");
    uint32_t count = 1;
    VkSurfaceFormatKHR format;
    check(gpu_.vk.GetPhysicalDeviceSurfaceFormatsKHR(gpu_.physical, surface_, &count, &format),
          "vkGetPhysicalDeviceSurfaceFormatsKHR");
    const uint32_t most = capabilities.maxImageCount ? capabilities.maxImageCount : UINT32_MAX;
    const VkSwapchainCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .surface = surface_,
        .minImageCount = std::clamp(3u, capabilities.minImageCount, most),
        .imageFormat = format.format,
        .imageColorSpace = format.colorSpace,
        .imageExtent = kSize,
        .imageArrayLayers = 1,
        .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
        .preTransform = capabilities.currentTransform,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = VK_PRESENT_MODE_FIFO_KHR,
        .clipped = VK_TRUE};
    check(gpu_.vk.CreateSwapchainKHR(gpu_.device, &info, nullptr, &swapchain_),
          "vkCreateSwapchainKHR");
  }

  void clear(VkCommandBuffer commands, VkImage image) const {
    const VkImageSubresourceRange whole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
    const auto barrier = [&](VkImageLayout from, VkImageLayout to, VkAccessFlags before,
                             VkAccessFlags after, VkPipelineStageFlags stage_after) {
      const VkImageMemoryBarrier info{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                                      .srcAccessMask = before,
                                      .dstAccessMask = after,
                                      .oldLayout = from,
                                      .newLayout = to,
                                      .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                      .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                      .image = image,
                                      .subresourceRange = whole};
      gpu_.vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, stage_after, 0, 0,
                                 nullptr, 0, nullptr, 1, &info);
    };
    const VkClearColorValue color{.float32 = {0.2f, 0.4f, 0.6f, 1}};
    barrier(VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 0,
            VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT);
    gpu_.vk.CmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &color, 1,
                               &whole);
    barrier(VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
            VK_ACCESS_TRANSFER_WRITE_BIT, 0, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
  }

  const Gpu& gpu_;
  VkSurfaceKHR surface_ = VK_NULL_HANDLE;
  VkSwapchainKHR swapchain_ = VK_NULL_HANDLE;
  std::vector<VkImage> images_;
  std::vector<Semaphore> drawn_, acquired_;
  size_t frame_ = 0;
};

}  // namespace

void present(Bench& bench) {
  const Gpu gpu(bench.choice(), {.instance = {VK_KHR_SURFACE_EXTENSION_NAME,
                                              VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME},
                                 .device = {VK_KHR_SWAPCHAIN_EXTENSION_NAME}});
  bench.tell_gpu(gpu);
  HeadlessWindow window(gpu);
  Frames frames(gpu, HeadlessWindow::kInFlight);
  bench.figure("frames", bench.rate([&] {
    window.draw_and_present(frames);
    return 1;
  }));
  frames.finish();
}

}  // namespace pvgpu::bench::client
