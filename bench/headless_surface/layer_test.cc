// Surfaces and swapchains of the layer on lavapipe, which has headless surfaces itself to compare with.
#include <gmock/gmock.h>
#include <vulkan/vulkan.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace headless_surface {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;

constexpr uint64_t kDeadline = 20'000'000'000;  // only ends a hang
constexpr uint64_t kSoon = 1'000'000;

constexpr const char* kLavapipe = "/usr/share/vulkan/icd.d/lvp_icd.json";
constexpr const char* kWithoutSurfaces = HEADLESS_SURFACE_LAYER "/test/driver_without_surfaces.json";

class Program {
 public:
  explicit Program(bool under_layer = true, const char* driver = kLavapipe) {
    ::setenv("VK_DRIVER_FILES", driver, 1);
    ::setenv("VK_ADD_LAYER_PATH", HEADLESS_SURFACE_LAYER, 1);
    ::setenv("VK_INSTANCE_LAYERS", under_layer ? "VK_LAYER_PVGPU_headless_surface" : "", 1);
    create_instance();
    create_device();
    const VkHeadlessSurfaceCreateInfoEXT info{.sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    const auto create = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT"));
    EXPECT_EQ(create(instance, &info, nullptr, &surface), VK_SUCCESS);
  }
  ~Program() {
    vkDeviceWaitIdle(device);
    for (VkSemaphore semaphore : semaphores_) vkDestroySemaphore(device, semaphore, nullptr);
    for (VkFence fence : fences_) vkDestroyFence(device, fence, nullptr);
    for (VkSwapchainKHR swapchain : swapchains_) vkDestroySwapchainKHR(device, swapchain, nullptr);
    vkDestroySurfaceKHR(instance, surface, nullptr);
    vkDestroyDevice(device, nullptr);
    vkDestroyInstance(instance, nullptr);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  VkSwapchainKHR swapchain(VkSwapchainKHR old = VK_NULL_HANDLE) {
    const VkSwapchainCreateInfoKHR info{.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR, .surface = surface, .minImageCount = 4,
                                        .imageFormat = VK_FORMAT_B8G8R8A8_UNORM, .imageExtent = {16, 16}, .imageArrayLayers = 1,
                                        .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT, .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
                                        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR, .presentMode = VK_PRESENT_MODE_FIFO_KHR,
                                        .oldSwapchain = old};
    EXPECT_EQ(vkCreateSwapchainKHR(device, &info, nullptr, &swapchains_.emplace_back()), VK_SUCCESS);
    return swapchains_.back();
  }
  VkSemaphore semaphore(const void* chain = nullptr) {
    const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = chain};
    EXPECT_EQ(vkCreateSemaphore(device, &info, nullptr, &semaphores_.emplace_back()), VK_SUCCESS);
    return semaphores_.back();
  }
  VkFence fence() {
    const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    EXPECT_EQ(vkCreateFence(device, &info, nullptr, &fences_.emplace_back()), VK_SUCCESS);
    return fences_.back();
  }
  uint32_t acquire(VkSwapchainKHR from, VkSemaphore semaphore, VkFence fence = VK_NULL_HANDLE) {
    uint32_t index = UINT32_MAX;
    EXPECT_EQ(vkAcquireNextImageKHR(device, from, kDeadline, semaphore, fence, &index), VK_SUCCESS);
    return index;
  }
  VkResult present(VkSwapchainKHR to, uint32_t index, std::vector<VkSemaphore> waits) {
    const VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR, .waitSemaphoreCount = uint32_t(waits.size()),
                                .pWaitSemaphores = waits.data(), .swapchainCount = 1, .pSwapchains = &to, .pImageIndices = &index};
    return vkQueuePresentKHR(queue, &info);
  }
  // Whether the queue gets as far as `done`.
  bool finishes(VkFence done) {
    const VkResult result = vkWaitForFences(device, 1, &done, VK_TRUE, kDeadline);
    vkResetFences(device, 1, &done);
    return result == VK_SUCCESS;
  }

  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  VkSurfaceKHR surface = VK_NULL_HANDLE;

 private:
  void create_instance() {
    const char* const extensions[] = {VK_KHR_SURFACE_EXTENSION_NAME, VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
                                      VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME};
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application,
                                    .enabledExtensionCount = std::size(extensions), .ppEnabledExtensionNames = extensions};
    EXPECT_EQ(vkCreateInstance(&info, nullptr, &instance), VK_SUCCESS);
    uint32_t count = 1;
    EXPECT_GE(vkEnumeratePhysicalDevices(instance, &count, &physical), VK_SUCCESS);
  }
  void create_device() {
    VkPhysicalDeviceVulkan13Features features13{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, .synchronization2 = VK_TRUE};
    VkPhysicalDeviceVulkan12Features features12{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, .pNext = &features13,
                                                .timelineSemaphore = VK_TRUE};
    const float priority = 1;
    const VkDeviceQueueCreateInfo queues{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
    const char* const extension = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = &features12, .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queues, .enabledExtensionCount = 1, .ppEnabledExtensionNames = &extension};
    EXPECT_EQ(vkCreateDevice(physical, &info, nullptr, &device), VK_SUCCESS);
    vkGetDeviceQueue(device, 0, 0, &queue);
  }

  std::vector<VkSwapchainKHR> swapchains_;
  std::vector<VkSemaphore> semaphores_;
  std::vector<VkFence> fences_;
};

// What can be done with a surface, as text that can be compared.
std::vector<std::string> offers(const Program& program) {
  std::vector<std::string> found;
  const auto add = [&](std::string name, auto... values) {
    ((name += ' ' + std::to_string(values)), ...);
    found.push_back(name);
  };
  const VkPhysicalDeviceSurfaceInfo2KHR info{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, .surface = program.surface};
  VkSurfaceCapabilities2KHR all{.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR};
  vkGetPhysicalDeviceSurfaceCapabilities2KHR(program.physical, &info, &all);
  const VkSurfaceCapabilitiesKHR& is = all.surfaceCapabilities;
  add("images", is.minImageCount, is.maxImageCount, is.maxImageArrayLayers);
  add("extent", is.currentExtent.width, is.currentExtent.height, is.minImageExtent.width, is.minImageExtent.height, is.maxImageExtent.width,
      is.maxImageExtent.height);
  add("transforms", is.supportedTransforms, is.currentTransform);
  add("alpha", is.supportedCompositeAlpha);
  for (VkImageUsageFlags usage : {VK_IMAGE_USAGE_TRANSFER_SRC_BIT, VK_IMAGE_USAGE_TRANSFER_DST_BIT, VK_IMAGE_USAGE_SAMPLED_BIT,
                                  VK_IMAGE_USAGE_STORAGE_BIT, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT, VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT})
    add("usage", usage, is.supportedUsageFlags & usage);
  uint32_t count = 8;
  VkSurfaceFormat2KHR formats[8];
  for (VkSurfaceFormat2KHR& format : formats) format = {.sType = VK_STRUCTURE_TYPE_SURFACE_FORMAT_2_KHR};
  EXPECT_EQ(vkGetPhysicalDeviceSurfaceFormats2KHR(program.physical, &info, &count, formats), VK_SUCCESS);
  for (uint32_t i = 0; i < count; i++) add("format", formats[i].surfaceFormat.format, formats[i].surfaceFormat.colorSpace);
  VkPresentModeKHR modes[8];
  count = 8;
  EXPECT_EQ(vkGetPhysicalDeviceSurfacePresentModesKHR(program.physical, program.surface, &count, modes), VK_SUCCESS);
  for (uint32_t i = 0; i < count; i++) add("mode", modes[i]);
  VkBool32 supported = VK_FALSE;
  vkGetPhysicalDeviceSurfaceSupportKHR(program.physical, 0, program.surface, &supported);
  add("supported", supported);
  return found;
}

TEST(HeadlessSurface, OffersWhatMesasOwnOffers) {
  const auto own = offers(Program(false));
  EXPECT_GT(own.size(), 12u);
  // Mesa before 25.2 had no formats with sRGB.
  EXPECT_THAT(offers(Program(true)), IsSupersetOf(own));
}

TEST(HeadlessSurface, GivesImagesInTheOrderInWhichTheyWerePresented) {
  Program program;
  const VkSwapchainKHR swapchain = program.swapchain();
  std::vector<uint32_t> order;
  for (int i = 0; i < 4; i++) order.push_back(program.acquire(swapchain, program.semaphore()));
  EXPECT_THAT(order, ElementsAre(0u, 1u, 2u, 3u));
  uint32_t none = 0;
  const VkSemaphore semaphore = program.semaphore();
  EXPECT_EQ(vkAcquireNextImageKHR(program.device, swapchain, 0, semaphore, VK_NULL_HANDLE, &none), VK_NOT_READY);
  EXPECT_EQ(program.present(swapchain, 2, {}), VK_SUCCESS);
  EXPECT_EQ(program.present(swapchain, 0, {}), VK_SUCCESS);
  EXPECT_EQ(program.acquire(swapchain, semaphore), 2u);
  EXPECT_EQ(program.acquire(swapchain, program.semaphore()), 0u);
}

TEST(HeadlessSurface, GivesAnImageWhenItsLastPresentIsDone) {
  Program program;
  const VkSwapchainKHR swapchain = program.swapchain();
  const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO, .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
  const VkSemaphore by_host = program.semaphore(&type), acquired = program.semaphore();
  for (int i = 0; i < 4; i++) program.acquire(swapchain, program.semaphore());

  // Drawing that is done when the host says so. Nobody waits for it by a semaphore, for which lavapipe would block right away: what is
  // presented after it on the queue is done after it, too.
  const uint64_t value = 1;
  const VkTimelineSemaphoreSubmitInfo values{.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO, .waitSemaphoreValueCount = 1,
                                             .pWaitSemaphoreValues = &value};
  const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  const VkSubmitInfo draw{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .pNext = &values, .waitSemaphoreCount = 1, .pWaitSemaphores = &by_host,
                          .pWaitDstStageMask = &stage};
  ASSERT_EQ(vkQueueSubmit(program.queue, 1, &draw, VK_NULL_HANDLE), VK_SUCCESS);
  EXPECT_EQ(program.present(swapchain, 1, {}), VK_SUCCESS);
  uint32_t index = UINT32_MAX;
  EXPECT_EQ(vkAcquireNextImageKHR(program.device, swapchain, 0, acquired, VK_NULL_HANDLE, &index), VK_NOT_READY);
  EXPECT_EQ(vkAcquireNextImageKHR(program.device, swapchain, kSoon, acquired, VK_NULL_HANDLE, &index), VK_TIMEOUT);

  const VkSemaphoreSignalInfo signal{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = by_host, .value = value};
  ASSERT_EQ(vkSignalSemaphore(program.device, &signal), VK_SUCCESS);
  EXPECT_EQ(program.acquire(swapchain, acquired), 1u);
}

TEST(HeadlessSurface, SignalsFences) {
  Program program;
  const VkSwapchainKHR swapchain = program.swapchain();
  const VkFence fences[] = {program.fence(), program.fence()};
  program.acquire(swapchain, VK_NULL_HANDLE, fences[0]);
  EXPECT_EQ(vkGetFenceStatus(program.device, fences[0]), VK_SUCCESS);
  EXPECT_EQ(vkGetFenceStatus(program.device, fences[1]), VK_NOT_READY);
  EXPECT_EQ(vkWaitForFences(program.device, 2, fences, VK_FALSE, 0), VK_SUCCESS);
  EXPECT_EQ(vkWaitForFences(program.device, 2, fences, VK_TRUE, 0), VK_TIMEOUT);
  EXPECT_EQ(vkQueueSubmit(program.queue, 0, nullptr, fences[1]), VK_SUCCESS);
  EXPECT_EQ(vkWaitForFences(program.device, 2, fences, VK_TRUE, kDeadline), VK_SUCCESS);
  EXPECT_EQ(vkResetFences(program.device, 2, fences), VK_SUCCESS);
  EXPECT_EQ(vkGetFenceStatus(program.device, fences[0]), VK_NOT_READY);
  const VkAcquireNextImageInfoKHR info{.sType = VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR, .swapchain = swapchain, .timeout = kDeadline,
                                       .fence = fences[0], .deviceMask = 1};
  uint32_t index = 0;
  EXPECT_EQ(vkAcquireNextImage2KHR(program.device, &info, &index), VK_SUCCESS);
  EXPECT_EQ(vkGetFenceStatus(program.device, fences[0]), VK_SUCCESS);
}

TEST(HeadlessSurface, SignalsSemaphores) {
  Program program;
  const VkSwapchainKHR swapchain = program.swapchain();
  const VkSemaphore acquired = program.semaphore();
  const VkFence done = program.fence();
  const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_TRANSFER_BIT;
  VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .waitSemaphoreCount = 1, .pWaitSemaphores = &acquired, .pWaitDstStageMask = &stage};
  const uint32_t only_device = 0;
  const VkDeviceGroupSubmitInfo group{.sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO, .waitSemaphoreCount = 1,
                                      .pWaitSemaphoreDeviceIndices = &only_device};
  // With what follows the structure, too.
  for (const void* chain : {static_cast<const void*>(nullptr), static_cast<const void*>(&group)}) {
    submit.pNext = chain;
    const uint32_t index = program.acquire(swapchain, acquired);
    ASSERT_EQ(vkQueueSubmit(program.queue, 1, &submit, done), VK_SUCCESS);
    ASSERT_TRUE(program.finishes(done));
    EXPECT_EQ(program.present(swapchain, index, {}), VK_SUCCESS);
  }
  const VkSemaphoreSubmitInfo wait{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO, .semaphore = acquired, .stageMask = VK_PIPELINE_STAGE_2_CLEAR_BIT};
  const VkSubmitInfo2 submit2{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2, .waitSemaphoreInfoCount = 1, .pWaitSemaphoreInfos = &wait};
  uint32_t index = program.acquire(swapchain, acquired);
  ASSERT_EQ(vkQueueSubmit2(program.queue, 1, &submit2, done), VK_SUCCESS);
  ASSERT_TRUE(program.finishes(done));
  EXPECT_EQ(program.present(swapchain, index, {}), VK_SUCCESS);
  // And by presenting at once.
  index = program.acquire(swapchain, acquired);
  EXPECT_EQ(program.present(swapchain, index, {acquired}), VK_SUCCESS);
  ASSERT_EQ(vkQueueSubmit(program.queue, 0, nullptr, done), VK_SUCCESS);
  EXPECT_TRUE(program.finishes(done));
}

TEST(HeadlessSurface, StillPresentsWhatWasAcquiredOfAnOldSwapchain) {
  Program program;
  const VkSwapchainKHR old = program.swapchain();
  const uint32_t index = program.acquire(old, program.semaphore());
  program.swapchain(old);
  uint32_t none = 0;
  EXPECT_EQ(vkAcquireNextImageKHR(program.device, old, 0, program.semaphore(), VK_NULL_HANDLE, &none), VK_ERROR_OUT_OF_DATE_KHR);
  EXPECT_EQ(program.present(old, index, {}), VK_SUCCESS);
}

TEST(HeadlessSurface, PresentsToSeveralSwapchains) {
  Program program;
  const VkSwapchainKHR swapchains[] = {program.swapchain(), program.swapchain()};
  for (int frame = 0; frame < 9; frame++) {
    uint32_t indices[2];
    for (int i = 0; i < 2; i++) indices[i] = program.acquire(swapchains[i], program.semaphore());
    VkResult results[2] = {VK_NOT_READY, VK_NOT_READY};
    const VkPresentInfoKHR info{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR, .swapchainCount = 2, .pSwapchains = swapchains, .pImageIndices = indices,
                                .pResults = results};
    EXPECT_EQ(vkQueuePresentKHR(program.queue, &info), VK_SUCCESS);
    EXPECT_THAT(results, ElementsAre(VK_SUCCESS, VK_SUCCESS));
    EXPECT_THAT(indices, ElementsAre(frame % 4u, frame % 4u));
  }
}

TEST(HeadlessSurface, NeedsNoSurfacesOfTheDriver) {
  Program program(true, kWithoutSurfaces);
  const VkSwapchainKHR swapchain = program.swapchain();
  const VkSemaphore acquired = program.semaphore();
  for (int frame = 0; frame < 9; frame++)
    EXPECT_EQ(program.present(swapchain, program.acquire(swapchain, acquired), {acquired}), VK_SUCCESS);
}

}  // namespace
}  // namespace headless_surface
