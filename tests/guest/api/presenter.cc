#include "presenter.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace {

using client::check;

// The picture: kGrid x kGrid cells, all of about the same size. A pixel is, from red to blue: the
// low byte of the frame's number, its next byte, and kCellBase + the cell.
constexpr uint32_t kGrid = 8;
constexpr uint32_t kCellBase = 64;
// What an image is filled with before its cells are drawn: no cell looks like this.
constexpr VkClearColorValue kUndrawn{.float32 = {0, 0, 1, 1}};
// How often, so that drawing takes long enough to be seen unfinished by who does not wait for it.
constexpr int kFills = 4;
constexpr VkImageSubresourceRange kWhole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
constexpr uint64_t kSecond = 1'000'000'000;

VkRect2D cell_rect(VkExtent2D extent, uint32_t cell) {
  const uint32_t x = cell % kGrid, y = cell / kGrid;
  const uint32_t left = extent.width * x / kGrid, right = extent.width * (x + 1) / kGrid;
  const uint32_t top = extent.height * y / kGrid, bottom = extent.height * (y + 1) / kGrid;
  return {{int32_t(left), int32_t(top)}, {right - left, bottom - top}};
}

std::array<uint8_t, 3> cell_color(uint32_t frame, uint32_t cell) {
  return {uint8_t(frame), uint8_t(frame >> 8), uint8_t(kCellBase + cell)};
}

void fill(VkCommandBuffer commands, VkImage image) {
  for (int i = 0; i < kFills; ++i) {
    client::transition(
        commands, image, kWhole,
        i == 0 ? VK_IMAGE_LAYOUT_UNDEFINED : VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
        VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdClearColorImage(commands, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &kUndrawn, 1,
                         &kWhole);
  }
}

// The even cells: the CPU writes their pixels, the GPU copies them into the image.
void copy_cells(VkCommandBuffer commands, VkImage image, const client::Buffer& pixels,
                VkExtent2D extent, uint32_t frame) {
  std::vector<VkBufferImageCopy> regions;
  uint32_t offset = 0;
  for (uint32_t cell = 0; cell < kGrid * kGrid; cell += 2) {
    const VkRect2D rect = cell_rect(extent, cell);
    const uint32_t count = rect.extent.width * rect.extent.height;
    if (count == 0) continue;
    const auto [red, green, blue] = cell_color(frame, cell);
    std::fill_n(pixels.words().begin() + offset, count,
                0xffu << 24 | uint32_t(red) << 16 | uint32_t(green) << 8 | blue);
    regions.push_back({.bufferOffset = offset * 4,
                       .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                       .imageOffset = {rect.offset.x, rect.offset.y, 0},
                       .imageExtent = {rect.extent.width, rect.extent.height, 1}});
    offset += count;
  }
  if (regions.empty()) return;
  client::transition(commands, image, kWhole, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                     VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
  vkCmdCopyBufferToImage(commands, pixels.buffer, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                         uint32_t(regions.size()), regions.data());
}

// The odd cells: cleared while rendering.
void clear_cells(VkCommandBuffer commands, VkImageView view, VkExtent2D extent, uint32_t frame) {
  const VkRenderingAttachmentInfo attachment{
      .sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
      .imageView = view,
      .imageLayout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
      .loadOp = VK_ATTACHMENT_LOAD_OP_LOAD,
      .storeOp = VK_ATTACHMENT_STORE_OP_STORE};
  const VkRenderingInfo rendering{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                                  .renderArea = {{0, 0}, extent},
                                  .layerCount = 1,
                                  .colorAttachmentCount = 1,
                                  .pColorAttachments = &attachment};
  vkCmdBeginRendering(commands, &rendering);
  for (uint32_t cell = 1; cell < kGrid * kGrid; cell += 2) {
    const VkClearRect rect{cell_rect(extent, cell), 0, 1};
    if (rect.rect.extent.width == 0 || rect.rect.extent.height == 0) continue;
    const auto [red, green, blue] = cell_color(frame, cell);
    const VkClearAttachment clear{
        .aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
        .clearValue = {.color = {.float32 = {red / 255.0f, green / 255.0f, blue / 255.0f, 1.0f}}}};
    vkCmdClearAttachments(commands, 1, &clear, 1, &rect);
  }
  vkCmdEndRendering(commands);
}

VkSemaphore make_semaphore(VkDevice device) {
  const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
  VkSemaphore semaphore;
  check(vkCreateSemaphore(device, &info, nullptr, &semaphore), "vkCreateSemaphore");
  return semaphore;
}

VkFence make_fence(VkDevice device, VkFenceCreateFlags flags) {
  const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .flags = flags};
  VkFence fence;
  check(vkCreateFence(device, &info, nullptr, &fence), "vkCreateFence");
  return fence;
}

// A window system that takes this long for a frame hangs.
void wait_for(VkDevice device, VkFence fence, const char* what) {
  check(vkWaitForFences(device, 1, &fence, VK_TRUE, 60 * kSecond), what);
}

}  // namespace

bool offers_mode(const PresentingDevice& device, Window& window, VkPresentModeKHR mode) {
  const VkSurfaceKHR surface = window.make_surface(device.instance);
  std::array<VkPresentModeKHR, 16> modes{};
  auto count = uint32_t(modes.size());
  check(vkGetPhysicalDeviceSurfacePresentModesKHR(device.physical, surface, &count, modes.data()),
        "vkGetPhysicalDeviceSurfacePresentModesKHR");
  vkDestroySurfaceKHR(device.instance, surface, nullptr);
  return std::find(modes.begin(), modes.begin() + count, mode) != modes.begin() + count;
}

Presenter::Presenter(const PresentingDevice& device, Window& window,
                     const PresenterOptions& options)
    : device_(device), window_(window), options_(options) {
  surface_ = window_.make_surface(device_.instance);
  make_swapchain(VK_NULL_HANDLE);
  make_slots();
}

Presenter::~Presenter() {
  wait_idle();
  destroy_swapchain(swapchain_, images_);
  vkDestroySurfaceKHR(device_.instance, surface_, nullptr);
  for (Slot& slot : slots_) {
    vkFreeCommandBuffers(device_.device, device_.commands, 1, &slot.commands);
    vkDestroySemaphore(device_.device, slot.acquired, nullptr);
    vkDestroyFence(device_.device, slot.done, nullptr);
    vkDestroyFence(device_.device, slot.presented, nullptr);
    if (slot.cells.buffer) client::destroy(device_, slot.cells);
  }
  for (VkFence fence : dropped_fences_) vkDestroyFence(device_.device, fence, nullptr);
}

void Presenter::make_slots() {
  const VkCommandBufferAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
      .commandPool = device_.commands,
      .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
      .commandBufferCount = 1};
  slots_.resize(options_.in_flight);
  for (Slot& slot : slots_) {
    check(vkAllocateCommandBuffers(device_.device, &allocation, &slot.commands),
          "vkAllocateCommandBuffers");
    slot.acquired = make_semaphore(device_.device);
    slot.done = make_fence(device_.device, VK_FENCE_CREATE_SIGNALED_BIT);
    if (options_.fences) slot.presented = make_fence(device_.device, 0);
  }
}

void Presenter::make_swapchain(VkSwapchainKHR old) {
  VkBool32 supported = VK_FALSE;
  check(
      vkGetPhysicalDeviceSurfaceSupportKHR(device_.physical, device_.family, surface_, &supported),
      "vkGetPhysicalDeviceSurfaceSupportKHR");
  if (!supported) client::fail("the queue family cannot present to this surface");
  VkSurfaceCapabilitiesKHR capabilities;
  check(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device_.physical, surface_, &capabilities),
        "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
  extent_ = capabilities.currentExtent.width == UINT32_MAX ? window_.extent()
                                                           : capabilities.currentExtent;
  uint32_t count = 0;
  check(vkGetPhysicalDeviceSurfaceFormatsKHR(device_.physical, surface_, &count, nullptr),
        "vkGetPhysicalDeviceSurfaceFormatsKHR");
  std::vector<VkSurfaceFormatKHR> formats(count);
  vkGetPhysicalDeviceSurfaceFormatsKHR(device_.physical, surface_, &count, formats.data());
  const auto wanted =
      std::ranges::find(formats, VK_FORMAT_B8G8R8A8_UNORM, &VkSurfaceFormatKHR::format);
  if (wanted == formats.end()) client::fail("the surface has no B8G8R8A8_UNORM");
  format_ = wanted->format;

  const uint32_t most = capabilities.maxImageCount ? capabilities.maxImageCount : UINT32_MAX;
  const VkSwapchainCreateInfoKHR info{
      .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
      .surface = surface_,
      .minImageCount = std::clamp(options_.images, capabilities.minImageCount, most),
      .imageFormat = format_,
      .imageColorSpace = wanted->colorSpace,
      .imageExtent = extent_,
      .imageArrayLayers = 1,
      .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
      .preTransform = capabilities.currentTransform,
      .compositeAlpha = capabilities.supportedCompositeAlpha & VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
                            ? VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR
                            : VK_COMPOSITE_ALPHA_INHERIT_BIT_KHR,
      .presentMode = options_.mode,
      .clipped = VK_TRUE,
      .oldSwapchain = old};
  check(vkCreateSwapchainKHR(device_.device, &info, nullptr, &swapchain_), "vkCreateSwapchainKHR");

  make_images();
}

void Presenter::make_images() {
  uint32_t count = 0;
  check(vkGetSwapchainImagesKHR(device_.device, swapchain_, &count, nullptr),
        "vkGetSwapchainImagesKHR");
  std::vector<VkImage> images(count);
  vkGetSwapchainImagesKHR(device_.device, swapchain_, &count, images.data());
  images_.clear();
  for (VkImage image : images) {
    const VkImageViewCreateInfo view_info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = format_,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    Image& added = images_.emplace_back();
    added.image = image;
    check(vkCreateImageView(device_.device, &view_info, nullptr, &added.view), "vkCreateImageView");
    added.drawn = make_semaphore(device_.device);
  }
}

void Presenter::destroy_swapchain(VkSwapchainKHR swapchain, std::vector<Image>& images) {
  for (const Image& image : images) {
    vkDestroyImageView(device_.device, image.view, nullptr);
    vkDestroySemaphore(device_.device, image.drawn, nullptr);
  }
  vkDestroySwapchainKHR(device_.device, swapchain, nullptr);
}

void Presenter::wait_idle() {
  for (Slot& slot : slots_) {
    if (slot.presenting) wait_for(device_.device, slot.presented, "the fence of a present");
  }
  check(vkDeviceWaitIdle(device_.device), "vkDeviceWaitIdle");
}

// The old swapchain goes after the new one has come, while its last frames may still be on their
// way to the screen.
void Presenter::recreate_swapchain() {
  const VkSwapchainKHR old = swapchain_;
  std::vector<Image> old_images = images_;
  make_swapchain(old);
  wait_idle();
  destroy_swapchain(old, old_images);
}

void Presenter::renew_surface() {
  wait_idle();
  destroy_swapchain(swapchain_, images_);
  vkDestroySurfaceKHR(device_.instance, surface_, nullptr);
  surface_ = window_.make_surface(device_.instance);
  make_swapchain(VK_NULL_HANDLE);
}

uint32_t Presenter::acquire(Slot& slot, bool& still_fits) {
  uint32_t index = 0;
  VkResult result = vkAcquireNextImageKHR(device_.device, swapchain_, 60 * kSecond, slot.acquired,
                                          VK_NULL_HANDLE, &index);
  while (result == VK_ERROR_OUT_OF_DATE_KHR) {
    ++out_of_date_;
    recreate_swapchain();
    result = vkAcquireNextImageKHR(device_.device, swapchain_, 60 * kSecond, slot.acquired,
                                   VK_NULL_HANDLE, &index);
  }
  still_fits = result != VK_SUBOPTIMAL_KHR;
  if (!still_fits) ++suboptimal_;
  if (still_fits) check(result, "vkAcquireNextImageKHR");
  if (index >= images_.size()) client::fail("vkAcquireNextImageKHR gives an image of no swapchain");
  return index;
}

void Presenter::record(Slot& slot, const Image& image) {
  const VkDeviceSize size = VkDeviceSize{extent_.width} * extent_.height * 4;
  if (slot.cells.size < size) {
    if (slot.cells.buffer) client::destroy(device_, slot.cells);
    slot.cells = client::make_buffer(device_, size, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
  }
  const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                       .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
  check(vkBeginCommandBuffer(slot.commands, &begin), "vkBeginCommandBuffer");
  fill(slot.commands, image.image);
  copy_cells(slot.commands, image.image, slot.cells, extent_, frame_);
  client::transition(slot.commands, image.image, kWhole, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                     VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
  clear_cells(slot.commands, image.view, extent_, frame_);
  client::transition(slot.commands, image.image, kWhole, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL,
                     VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
  check(vkEndCommandBuffer(slot.commands), "vkEndCommandBuffer");
}

bool Presenter::present(Slot& slot, uint32_t index) {
  const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  const VkSemaphore drawn = images_[index].drawn;
  const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .waitSemaphoreCount = 1,
                            .pWaitSemaphores = &slot.acquired,
                            .pWaitDstStageMask = &stage,
                            .commandBufferCount = 1,
                            .pCommandBuffers = &slot.commands,
                            .signalSemaphoreCount = 1,
                            .pSignalSemaphores = &drawn};
  check(vkQueueSubmit(device_.queue, 1, &submit, slot.done), "vkQueueSubmit");

  const uint64_t id = frame_;
  VkPresentIdKHR ids{
      .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR, .swapchainCount = 1, .pPresentIds = &id};
  VkSwapchainPresentFenceInfoEXT fences{.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT,
                                        .swapchainCount = 1,
                                        .pFences = &slot.presented};
  VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                        .waitSemaphoreCount = 1,
                        .pWaitSemaphores = &drawn,
                        .swapchainCount = 1,
                        .pSwapchains = &swapchain_,
                        .pImageIndices = &index};
  if (device_.present_wait) info.pNext = &ids;
  if (options_.fences) {
    fences.pNext = info.pNext;
    info.pNext = &fences;
    slot.presenting = true;
  }
  const VkResult result = vkQueuePresentKHR(device_.queue, &info);
  if (result == VK_ERROR_OUT_OF_DATE_KHR) {
    ++out_of_date_;
    if (options_.fences) {
      // Vulkan says that the fence will be signalled all the same. Venus of Mesa 26 presents in a
      // thread, returns what the present before has come to, and drops this one if that failed.
      dropped_fences_.push_back(slot.presented);
      slot.presented = make_fence(device_.device, 0);
      slot.presenting = false;
    }
  }
  if (result == VK_SUBOPTIMAL_KHR) ++suboptimal_;
  if (result == VK_ERROR_OUT_OF_DATE_KHR || result == VK_SUBOPTIMAL_KHR) return false;
  check(result, "vkQueuePresentKHR");
  return true;
}

void Presenter::draw() {
  ++frame_;
  Slot& slot = slots_[frame_ % slots_.size()];
  wait_for(device_.device, slot.done, "the fence of a frame");
  if (slot.presenting) {
    wait_for(device_.device, slot.presented, "the fence of a present");
    check(vkResetFences(device_.device, 1, &slot.presented), "vkResetFences");
    slot.presenting = false;
  }
  bool still_fits = true;
  const uint32_t index = acquire(slot, still_fits);
  check(vkResetFences(device_.device, 1, &slot.done), "vkResetFences");
  record(slot, images_[index]);
  if (!present(slot, index) || !still_fits) recreate_swapchain();
}

void Presenter::wait_until_shown() {
  check(device_.wait_for_present(device_.device, swapchain_, frame_, 60 * kSecond),
        "vkWaitForPresentKHR");
}

void Presenter::acquire_and_release() {
  const VkFence fence = make_fence(device_.device, 0);
  uint32_t index = 0;
  check(vkAcquireNextImageKHR(device_.device, swapchain_, 60 * kSecond, VK_NULL_HANDLE, fence,
                              &index),
        "vkAcquireNextImageKHR");
  wait_for(device_.device, fence, "the fence of an acquired image");
  vkDestroyFence(device_.device, fence, nullptr);
  const VkReleaseSwapchainImagesInfoEXT info{
      .sType = VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT,
      .swapchain = swapchain_,
      .imageIndexCount = 1,
      .pImageIndices = &index};
  check(device_.release_images(device_.device, &info), "vkReleaseSwapchainImagesEXT");
}
