// Swapchains: plain images in the driver's own memory, which are presented to nobody. The program lets no two threads use a swapchain at
// once, so they need no lock.
#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "dispatch.h"

namespace headless_surface {
namespace {

struct Image {
  VkImage image = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  VkFence presented = VK_NULL_HANDLE;  // signalled when the GPU has done what the last present waited for
  bool pending = false;                // since then nobody has waited for it
};

class Swapchain {
 public:
  explicit Swapchain(Device& device) : device_(device) {}
  ~Swapchain();
  Swapchain(const Swapchain&) = delete;
  Swapchain& operator=(const Swapchain&) = delete;

  VkResult create(const VkSwapchainCreateInfoKHR& info);
  void retire() { retired_ = true; }
  const std::vector<Image>& images() const { return images_; }
  VkResult acquire(uint64_t timeout, uint32_t& index);
  VkResult present(VkQueue queue, const std::vector<VkSemaphore>& waits, uint32_t index);

 private:
  VkResult make(Image& made, const VkImageCreateInfo& info) const;
  uint32_t memory_type(uint32_t allowed) const;

  Device& device_;
  std::vector<Image> images_;
  std::deque<uint32_t> free_;  // the one that was presented longest ago first
  bool retired_ = false;
};

Swapchain* from(VkSwapchainKHR handle) { return reinterpret_cast<Swapchain*>(handle); }

Swapchain::~Swapchain() {
  const auto destroy_image = device_.next<PFN_vkDestroyImage>("vkDestroyImage");
  const auto free_memory = device_.next<PFN_vkFreeMemory>("vkFreeMemory");
  const auto destroy_fence = device_.next<PFN_vkDestroyFence>("vkDestroyFence");
  for (const Image& image : images_) {
    if (image.pending) device_.wait_for_fences(device_.handle, 1, &image.presented, VK_TRUE, UINT64_MAX);
    destroy_image(device_.handle, image.image, nullptr);
    free_memory(device_.handle, image.memory, nullptr);
    destroy_fence(device_.handle, image.presented, nullptr);
  }
}

uint32_t Swapchain::memory_type(uint32_t allowed) const {
  VkPhysicalDeviceMemoryProperties memory{};
  instances.of(device_.physical).next<PFN_vkGetPhysicalDeviceMemoryProperties>("vkGetPhysicalDeviceMemoryProperties")(device_.physical, &memory);
  for (uint32_t type = 0; type < memory.memoryTypeCount; type++)
    if (allowed >> type & 1 && memory.memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) return type;
  return static_cast<uint32_t>(std::countr_zero(allowed));
}

VkResult Swapchain::make(Image& made, const VkImageCreateInfo& info) const {
  const VkDevice handle = device_.handle;
  if (const VkResult result = device_.next<PFN_vkCreateImage>("vkCreateImage")(handle, &info, nullptr, &made.image); result != VK_SUCCESS) return result;
  VkMemoryRequirements needs{};
  device_.next<PFN_vkGetImageMemoryRequirements>("vkGetImageMemoryRequirements")(handle, made.image, &needs);
  // As Mesa does: some drivers draw faster to an image that has its memory for itself. Those without such memory pass it over.
  const VkMemoryDedicatedAllocateInfo dedicated{.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .image = made.image};
  const VkMemoryAllocateInfo memory{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &dedicated, .allocationSize = needs.size,
                                    .memoryTypeIndex = memory_type(needs.memoryTypeBits)};
  VkResult result = device_.next<PFN_vkAllocateMemory>("vkAllocateMemory")(handle, &memory, nullptr, &made.memory);
  if (result == VK_SUCCESS) result = device_.next<PFN_vkBindImageMemory>("vkBindImageMemory")(handle, made.image, made.memory, 0);
  const VkFenceCreateInfo fence{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  if (result == VK_SUCCESS) result = device_.next<PFN_vkCreateFence>("vkCreateFence")(handle, &fence, nullptr, &made.presented);
  return result;
}

VkResult Swapchain::create(const VkSwapchainCreateInfoKHR& info) {
  VkImageFormatListCreateInfo formats{};
  if (const auto* list = vulkan_layer::find<const VkImageFormatListCreateInfo>(info.pNext, VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO))
    formats = *list;
  formats.pNext = nullptr;
  const bool is_mutable = info.flags & VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR;
  const VkImageCreateInfo image{
      .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
      .pNext = is_mutable && formats.sType ? &formats : nullptr,
      .flags = is_mutable ? VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT : VkImageCreateFlags{},
      .imageType = VK_IMAGE_TYPE_2D,
      .format = info.imageFormat,
      .extent = {info.imageExtent.width, info.imageExtent.height, 1},
      .mipLevels = 1,
      .arrayLayers = info.imageArrayLayers,
      .samples = VK_SAMPLE_COUNT_1_BIT,
      .tiling = VK_IMAGE_TILING_OPTIMAL,
      .usage = info.imageUsage,
      .sharingMode = info.imageSharingMode,
      .queueFamilyIndexCount = info.imageSharingMode == VK_SHARING_MODE_CONCURRENT ? info.queueFamilyIndexCount : 0,
      .pQueueFamilyIndices = info.pQueueFamilyIndices,
  };
  images_.resize(info.minImageCount);
  for (uint32_t i = 0; i < info.minImageCount; i++) {
    if (const VkResult result = make(images_[i], image); result != VK_SUCCESS) return result;
    free_.push_back(i);
  }
  return VK_SUCCESS;
}

VkResult Swapchain::acquire(uint64_t timeout, uint32_t& index) {
  if (retired_) return VK_ERROR_OUT_OF_DATE_KHR;
  // No other thread may present one meanwhile, so there is nothing to wait for.
  if (free_.empty()) return timeout ? VK_TIMEOUT : VK_NOT_READY;
  Image& image = images_[free_.front()];
  if (image.pending) {
    VkResult result = device_.wait_for_fences(device_.handle, 1, &image.presented, VK_TRUE, timeout);
    if (result == VK_TIMEOUT && !timeout) return VK_NOT_READY;
    if (result == VK_SUCCESS) result = device_.reset_fences(device_.handle, 1, &image.presented);
    if (result != VK_SUCCESS) return result;
    image.pending = false;
  }
  index = free_.front();
  free_.pop_front();
  return VK_SUCCESS;
}

// As Mesa's Venus presents in guests whose transport has no implicit fences: it waits until the queue has done all.
bool presents_wait() {
  static const bool wait = std::getenv("PVGPU_HEADLESS_SURFACE_WAITS") != nullptr;
  return wait;
}

// On the queue that the program presents on, which it has given to this call.
VkResult Swapchain::present(VkQueue queue, const std::vector<VkSemaphore>& waits, uint32_t index) {
  const std::vector<VkPipelineStageFlags> stages(waits.size(), VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
  const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .waitSemaphoreCount = static_cast<uint32_t>(waits.size()),
                            .pWaitSemaphores = waits.data(), .pWaitDstStageMask = stages.data()};
  const VkResult result = device_.submit(queue, 1, &submit, images_[index].presented);
  images_[index].pending = result == VK_SUCCESS;
  free_.push_back(index);
  if (result == VK_SUCCESS && presents_wait()) return device_.wait_for_fences(device_.handle, 1, &images_[index].presented, VK_TRUE, UINT64_MAX);
  return result;
}

// -- Vulkan's functions --

VKAPI_ATTR VkResult VKAPI_CALL CreateSwapchain(VkDevice handle, const VkSwapchainCreateInfoKHR* info, const VkAllocationCallbacks*,
                                               VkSwapchainKHR* swapchain) {
  auto made = std::make_unique<Swapchain>(devices.of(handle));
  if (info->oldSwapchain) from(info->oldSwapchain)->retire();
  if (const VkResult result = made->create(*info); result != VK_SUCCESS) return result;
  *swapchain = reinterpret_cast<VkSwapchainKHR>(made.release());
  return VK_SUCCESS;
}
VKAPI_ATTR void VKAPI_CALL DestroySwapchain(VkDevice, VkSwapchainKHR swapchain, const VkAllocationCallbacks*) { delete from(swapchain); }

VKAPI_ATTR VkResult VKAPI_CALL GetSwapchainImages(VkDevice, VkSwapchainKHR swapchain, uint32_t* count, VkImage* out) {
  const std::vector<Image>& images = from(swapchain)->images();
  const auto size = static_cast<uint32_t>(images.size());
  *count = out ? std::min(*count, size) : size;
  for (uint32_t i = 0; out && i < *count; i++) out[i] = images[i].image;
  return *count < size ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImage(VkDevice handle, VkSwapchainKHR swapchain, uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                                                uint32_t* index) {
  Device& device = devices.of(handle);
  const VkResult result = from(swapchain)->acquire(timeout, *index);
  if (result != VK_SUCCESS) return result;
  if (semaphore) device.semaphores.add(semaphore);
  if (fence) device.fences.add(fence);
  return result;
}
VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImage2(VkDevice device, const VkAcquireNextImageInfoKHR* info, uint32_t* index) {
  return AcquireNextImage(device, info->swapchain, info->timeout, info->semaphore, info->fence, index);
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresent(VkQueue queue, const VkPresentInfoKHR* info) {
  Device& device = devices.of(queue);
  std::vector<VkSemaphore> waits;
  for (uint32_t i = 0; i < info->waitSemaphoreCount; i++)
    if (!device.semaphores.take(info->pWaitSemaphores[i])) waits.push_back(info->pWaitSemaphores[i]);
  VkResult first_error = VK_SUCCESS;
  for (uint32_t i = 0; i < info->swapchainCount; i++) {
    const VkResult result = from(info->pSwapchains[i])->present(queue, waits, info->pImageIndices[i]);
    // What follows on the queue is done after it.
    waits.clear();
    if (info->pResults) info->pResults[i] = result;
    if (first_error == VK_SUCCESS) first_error = result;
  }
  return first_error;
}

// No device groups but those of one.
VKAPI_ATTR VkResult VKAPI_CALL GetGroupCapabilities(VkDevice, VkDeviceGroupPresentCapabilitiesKHR* capabilities) {
  std::fill(std::begin(capabilities->presentMask), std::end(capabilities->presentMask), 0);
  capabilities->presentMask[0] = 1;
  capabilities->modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
  return VK_SUCCESS;
}
VKAPI_ATTR VkResult VKAPI_CALL GetGroupModes(VkDevice, VkSurfaceKHR, VkDeviceGroupPresentModeFlagsKHR* modes) {
  *modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
  return VK_SUCCESS;
}

const vulkan_layer::Entry kEntries[] = {
    VULKAN_LAYER_ENTRY(CreateSwapchainKHR, CreateSwapchain),
    VULKAN_LAYER_ENTRY(DestroySwapchainKHR, DestroySwapchain),
    VULKAN_LAYER_ENTRY(GetSwapchainImagesKHR, GetSwapchainImages),
    VULKAN_LAYER_ENTRY(AcquireNextImageKHR, AcquireNextImage),
    VULKAN_LAYER_ENTRY(AcquireNextImage2KHR, AcquireNextImage2),
    VULKAN_LAYER_ENTRY(QueuePresentKHR, QueuePresent),
    VULKAN_LAYER_ENTRY(GetDeviceGroupPresentCapabilitiesKHR, GetGroupCapabilities),
    VULKAN_LAYER_ENTRY(GetDeviceGroupSurfacePresentModesKHR, GetGroupModes),
};

}  // namespace

PFN_vkVoidFunction swapchain_function(const char* name) { return look_up(kEntries, name); }

}  // namespace headless_surface
