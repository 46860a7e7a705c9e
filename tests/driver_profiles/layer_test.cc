// What each profile refuses, so that a program that leans on it is found out. Each case in a process of its own: a profile is read once.
#define VK_ENABLE_BETA_EXTENSIONS  // VK_KHR_portability_subset
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace driver_profile {
namespace {

using ::testing::Contains;
using ::testing::Not;

constexpr size_t kPage = 4096, kApplePage = 16384;

class Layer : public ::testing::Test {
 protected:
  explicit Layer(const std::string& profile) {
    ::setenv("VK_DRIVER_FILES", "/usr/share/vulkan/icd.d/lvp_icd.json", 1);
    ::setenv("VK_ADD_LAYER_PATH", DRIVER_PROFILE_LAYER, 1);
    ::setenv("VK_INSTANCE_LAYERS", "VK_LAYER_PVGPU_driver_profile", 1);
    ::setenv("PVGPU_DRIVER_PROFILE", (DRIVER_PROFILE_FILES "/" + profile).c_str(), 1);
  }
  ~Layer() override {
    if (device_) vkDestroyDevice(device_, nullptr);
    if (instance_) vkDestroyInstance(instance_, nullptr);
  }

  // How many devices it sees.
  uint32_t open(bool asks_for_portability = true, uint32_t level = VK_API_VERSION_1_3) {
    const char* extension = VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME;
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = level};
    VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
    if (asks_for_portability) {
      info.flags = VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
      info.enabledExtensionCount = 1;
      info.ppEnabledExtensionNames = &extension;
    }
    if (vkCreateInstance(&info, nullptr, &instance_) == VK_ERROR_INCOMPATIBLE_DRIVER) return 0;
    uint32_t count = 1;
    EXPECT_GE(vkEnumeratePhysicalDevices(instance_, &count, &physical_), VK_SUCCESS);
    return count;
  }
  std::vector<std::string> extensions() {
    uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(physical_, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> found(count);
    vkEnumerateDeviceExtensionProperties(physical_, nullptr, &count, found.data());
    std::vector<std::string> names;
    for (const VkExtensionProperties& extension : found) names.push_back(extension.extensionName);
    return names;
  }
  VkResult create(std::vector<const char*> names, const void* chain = nullptr, const VkPhysicalDeviceFeatures* features = nullptr) {
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = chain, .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queue,
                                  .enabledExtensionCount = uint32_t(names.size()), .ppEnabledExtensionNames = names.data(), .pEnabledFeatures = features};
    return vkCreateDevice(physical_, &info, nullptr, &device_);
  }
  VkResult allocate(uint32_t type, const void* chain, VkDeviceMemory& memory, VkDeviceSize size = kApplePage) {
    const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = chain, .allocationSize = size, .memoryTypeIndex = type};
    return vkAllocateMemory(device_, &info, nullptr, &memory);
  }
  // Of pages that stay.
  VkResult import(uint32_t type, size_t offset, VkDeviceMemory& memory) {
    auto* pages = static_cast<char*>(::mmap(nullptr, 3 * kApplePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    pages += kApplePage - reinterpret_cast<uintptr_t>(pages) % kApplePage;
    const VkImportMemoryHostPointerInfoEXT import{.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT,
                                                  .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, .pHostPointer = pages + offset};
    return allocate(type, &import, memory);
  }
  VkImage image(VkImageTiling tiling, VkImageUsageFlags usage, VkFormat format = VK_FORMAT_R8G8B8A8_UNORM) {
    const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO, .imageType = VK_IMAGE_TYPE_2D, .format = format, .extent = {16, 16, 1},
                                 .mipLevels = 1, .arrayLayers = 1, .samples = VK_SAMPLE_COUNT_1_BIT, .tiling = tiling, .usage = usage};
    VkImage image = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateImage(device_, &info, nullptr, &image), VK_SUCCESS);
    return image;
  }
  VkResult bind(VkImageTiling tiling, VkDeviceMemory memory) {
    const VkImage bound = image(tiling, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    const VkResult result = vkBindImageMemory(device_, bound, memory, 0);
    vkDestroyImage(device_, bound, nullptr);
    return result;
  }

  VkInstance instance_ = VK_NULL_HANDLE;
  VkPhysicalDevice physical_ = VK_NULL_HANDLE;
  VkDevice device_ = VK_NULL_HANDLE;
};

constexpr const char* kSubset = VK_KHR_PORTABILITY_SUBSET_EXTENSION_NAME;
constexpr const char* kImport = VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME;

class MoltenVk : public Layer {
 protected:
  MoltenVk() : Layer("moltenvk.txt") {}
  void open_device() {
    ASSERT_EQ(open(), 1u);
    ASSERT_EQ(create({kSubset, kImport}), VK_SUCCESS);
  }
  enum : uint32_t { kPrivate, kShared, kMemoryless };
};

TEST_F(MoltenVk, IsWhatItSays) {
  ASSERT_EQ(open(), 1u);
  VkPhysicalDeviceDriverProperties driver{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
  VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &driver};
  vkGetPhysicalDeviceProperties2(physical_, &properties);
  EXPECT_STREQ(properties.properties.deviceName, "Apple M3");
  EXPECT_EQ(properties.properties.driverVersion, 10402u);
  EXPECT_EQ(driver.driverID, VK_DRIVER_ID_MOLTENVK);
  EXPECT_STREQ(driver.driverInfo, "1.4.2");
}

TEST_F(MoltenVk, IsSeenByThoseWhoAskForPortabilityDrivers) { EXPECT_EQ(open(false), 0u); }

TEST_F(MoltenVk, WantsItsSubsetEnabled) {
  ASSERT_EQ(open(), 1u);
  EXPECT_THAT(extensions(), Contains(kSubset));
  EXPECT_EQ(create({}), VK_ERROR_INITIALIZATION_FAILED);
}

TEST_F(MoltenVk, RefusesExtensionsThatItDoesNotShow) {
  ASSERT_EQ(open(), 1u);
  EXPECT_THAT(extensions(), Not(Contains(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)));
  EXPECT_EQ(create({kSubset, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME}), VK_ERROR_EXTENSION_NOT_PRESENT);
}

TEST_F(MoltenVk, RefusesFeaturesThatItDoesNotShow) {
  ASSERT_EQ(open(), 1u);
  VkPhysicalDeviceFeatures shown{};
  vkGetPhysicalDeviceFeatures(physical_, &shown);
  EXPECT_TRUE(shown.tessellationShader);
  EXPECT_FALSE(shown.logicOp || shown.geometryShader || shown.sparseBinding || shown.shaderFloat64);
  const VkPhysicalDeviceFeatures logic{.logicOp = VK_TRUE};
  EXPECT_EQ(create({kSubset}, nullptr, &logic), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceRobustness2FeaturesEXT null{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT, .nullDescriptor = VK_TRUE};
  EXPECT_EQ(create({kSubset, VK_EXT_ROBUSTNESS_2_EXTENSION_NAME}, &null), VK_ERROR_FEATURE_NOT_PRESENT);
  const VkPhysicalDeviceTransformFeedbackFeaturesEXT feedback{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TRANSFORM_FEEDBACK_FEATURES_EXT,
                                                              .transformFeedback = VK_TRUE};
  EXPECT_EQ(create({kSubset}, &feedback), VK_ERROR_FEATURE_NOT_PRESENT);
}

TEST_F(MoltenVk, DoesNotKnowStructuresOfExtensionsThatItDoesNotShow) {
  ASSERT_EQ(open(), 1u);
  VkPhysicalDevicePortabilitySubsetFeaturesKHR subset{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PORTABILITY_SUBSET_FEATURES_KHR};
  VkPhysicalDeviceTransformFeedbackFeaturesEXT feedback{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TRANSFORM_FEEDBACK_FEATURES_EXT,
                                                        .pNext = &subset, .transformFeedback = 1234};
  VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, .pNext = &feedback};
  vkGetPhysicalDeviceFeatures2(physical_, &features);
  EXPECT_EQ(feedback.transformFeedback, 1234u);
  EXPECT_TRUE(subset.events && subset.triangleFans);
  EXPECT_FALSE(subset.pointPolygons || subset.tessellationIsolines);
  EXPECT_EQ(features.pNext, &feedback);
  EXPECT_EQ(feedback.pNext, &subset);
}

TEST_F(MoltenVk, ImportsAlignedPointersIntoVisibleMemory) {
  open_device();
  VkDeviceMemory memory = VK_NULL_HANDLE;
  EXPECT_EQ(import(kShared, kPage, memory), VK_ERROR_INVALID_EXTERNAL_HANDLE);
  EXPECT_EQ(import(kPrivate, 0, memory), VK_ERROR_INVALID_EXTERNAL_HANDLE);
  ASSERT_EQ(import(kShared, 0, memory), VK_SUCCESS);
  EXPECT_EQ(bind(VK_IMAGE_TILING_OPTIMAL, memory), VK_SUCCESS);
  vkFreeMemory(device_, memory, nullptr);
}

TEST_F(MoltenVk, MapsMemoryOnceAtATime) {
  open_device();
  VkDeviceMemory shared = VK_NULL_HANDLE, own = VK_NULL_HANDLE;
  ASSERT_EQ(allocate(kShared, nullptr, shared), VK_SUCCESS);
  ASSERT_EQ(allocate(kPrivate, nullptr, own), VK_SUCCESS);
  void* data = nullptr;
  EXPECT_EQ(vkMapMemory(device_, shared, 0, VK_WHOLE_SIZE, 0, &data), VK_SUCCESS);
  EXPECT_EQ(vkMapMemory(device_, shared, 0, VK_WHOLE_SIZE, 0, &data), VK_ERROR_MEMORY_MAP_FAILED);
  vkUnmapMemory(device_, shared);
  EXPECT_EQ(vkMapMemory(device_, shared, 0, VK_WHOLE_SIZE, 0, &data), VK_SUCCESS);
  EXPECT_EQ(vkMapMemory(device_, own, 0, VK_WHOLE_SIZE, 0, &data), VK_ERROR_MEMORY_MAP_FAILED);
  vkFreeMemory(device_, shared, nullptr);
  vkFreeMemory(device_, own, nullptr);
}

TEST_F(MoltenVk, ExportsNothing) {
  open_device();
  const VkExportMemoryAllocateInfo memory{.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                          .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT};
  VkDeviceMemory made = VK_NULL_HANDLE;
  EXPECT_EQ(allocate(kShared, &memory, made), VK_ERROR_INVALID_EXTERNAL_HANDLE);
  const VkExportSemaphoreCreateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
                                             .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
  const VkSemaphoreCreateInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = &exported};
  VkSemaphore no_semaphore = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateSemaphore(device_, &semaphore, nullptr, &no_semaphore), VK_ERROR_INVALID_EXTERNAL_HANDLE);
  const VkExportFenceCreateInfo exported_fence{.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                               .handleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
  const VkFenceCreateInfo fence{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = &exported_fence};
  VkFence no_fence = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateFence(device_, &fence, nullptr, &no_fence), VK_ERROR_INVALID_EXTERNAL_HANDLE);
  EXPECT_FALSE(vkGetDeviceProcAddr(device_, "vkGetMemoryFdKHR"));
}

TEST_F(MoltenVk, WantsResourcesBoundToTheMemoryTypesThatTheyName) {
  open_device();
  const VkImage depth = image(VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT, VK_FORMAT_D32_SFLOAT);
  VkMemoryRequirements needs{};
  vkGetImageMemoryRequirements(device_, depth, &needs);
  EXPECT_EQ(needs.memoryTypeBits, 1u << kPrivate);
  VkDeviceMemory shared = VK_NULL_HANDLE;
  ASSERT_EQ(allocate(kShared, nullptr, shared), VK_SUCCESS);
  EXPECT_EQ(vkBindImageMemory(device_, depth, shared, 0), VK_ERROR_OUT_OF_DEVICE_MEMORY);
  vkDestroyImage(device_, depth, nullptr);
  vkFreeMemory(device_, shared, nullptr);
}

TEST_F(MoltenVk, MakesNothingOfFeaturesThatAreNotEnabled) {
  open_device();
  const VkBufferCreateInfo sparse{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .flags = VK_BUFFER_CREATE_SPARSE_BINDING_BIT, .size = 65536,
                                  .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
  VkBuffer no_buffer = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateBuffer(device_, &sparse, nullptr, &no_buffer), VK_ERROR_FEATURE_NOT_PRESENT);
  // Refused before anybody looks at the modules, which are not there.
  for (VkShaderStageFlagBits stage : {VK_SHADER_STAGE_GEOMETRY_BIT, VK_SHADER_STAGE_TESSELLATION_CONTROL_BIT}) {
    const VkPipelineShaderStageCreateInfo stages{.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .stage = stage, .pName = "main"};
    const VkGraphicsPipelineCreateInfo info{.sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO, .stageCount = 1, .pStages = &stages};
    VkPipeline no_pipeline = VK_NULL_HANDLE;
    EXPECT_EQ(vkCreateGraphicsPipelines(device_, VK_NULL_HANDLE, 1, &info, nullptr, &no_pipeline), VK_ERROR_FEATURE_NOT_PRESENT);
  }
  // The subset's features were not enabled either.
  const VkEventCreateInfo event{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
  VkEvent no_event = VK_NULL_HANDLE;
  EXPECT_EQ(vkCreateEvent(device_, &event, nullptr, &no_event), VK_ERROR_FEATURE_NOT_PRESENT);
}

class KosmicKrisp : public Layer {
 protected:
  KosmicKrisp() : Layer("kosmickrisp.txt") {}
};

TEST_F(KosmicKrisp, IsNoPortabilityDriver) {
  ASSERT_EQ(open(false), 1u);
  EXPECT_THAT(extensions(), Not(Contains(kSubset)));
  EXPECT_EQ(create({kImport}), VK_SUCCESS);
}

TEST_F(KosmicKrisp, BindsLinearImagesToImportedMemory) {
  ASSERT_EQ(open(), 1u);
  ASSERT_EQ(create({kImport}), VK_SUCCESS);
  VkDeviceMemory imported = VK_NULL_HANDLE, own = VK_NULL_HANDLE;
  EXPECT_EQ(import(0, kPage, imported), VK_ERROR_INVALID_EXTERNAL_HANDLE);
  ASSERT_EQ(import(0, 0, imported), VK_SUCCESS);
  ASSERT_EQ(allocate(0, nullptr, own), VK_SUCCESS);
  EXPECT_EQ(bind(VK_IMAGE_TILING_LINEAR, imported), VK_SUCCESS);
  EXPECT_EQ(bind(VK_IMAGE_TILING_OPTIMAL, imported), VK_ERROR_OUT_OF_DEVICE_MEMORY);
  EXPECT_EQ(bind(VK_IMAGE_TILING_OPTIMAL, own), VK_SUCCESS);
  vkFreeMemory(device_, imported, nullptr);
  vkFreeMemory(device_, own, nullptr);
}

TEST_F(KosmicKrisp, IsUsedByProgramsOfAnOlderVulkan) {
  ASSERT_EQ(open(false, VK_API_VERSION_1_0), 1u);
  ASSERT_EQ(create({VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME}), VK_SUCCESS);
  const auto get = reinterpret_cast<PFN_vkGetImageMemoryRequirements2KHR>(vkGetDeviceProcAddr(device_, "vkGetImageMemoryRequirements2KHR"));
  ASSERT_TRUE(get);
  const VkImage asked = image(VK_IMAGE_TILING_OPTIMAL, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
  const VkImageMemoryRequirementsInfo2 info{.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2, .image = asked};
  VkMemoryRequirements2 needs{.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
  get(device_, &info, &needs);
  EXPECT_EQ(needs.memoryRequirements.memoryTypeBits, 1u);
  vkDestroyImage(device_, asked, nullptr);
}

TEST_F(KosmicKrisp, ShowsDescriptorsOfFencesWithoutAnyHandleType) {
  ASSERT_EQ(open(), 1u);
  const VkPhysicalDeviceExternalFenceInfo info{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
                                               .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
  VkExternalFenceProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES};
  vkGetPhysicalDeviceExternalFenceProperties(physical_, &info, &properties);
  EXPECT_EQ(properties.externalFenceFeatures, 0u);
}

}  // namespace
}  // namespace driver_profile
