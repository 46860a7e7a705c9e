// The sType of the structures that corners name by their C++ type.
#pragma once

#include <vulkan/vulkan.h>

namespace corners {

template <class Structure>
inline constexpr VkStructureType kTypeOf = VK_STRUCTURE_TYPE_MAX_ENUM;

#define TYPE_OF(structure, type) \
  template <>                    \
  inline constexpr VkStructureType kTypeOf<structure> = VK_STRUCTURE_TYPE_##type

TYPE_OF(VkPhysicalDeviceVulkan11Features, PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
TYPE_OF(VkPhysicalDeviceVulkan12Features, PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
TYPE_OF(VkPhysicalDeviceVulkan13Features, PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
TYPE_OF(VkPhysicalDeviceAccelerationStructureFeaturesKHR,
        PHYSICAL_DEVICE_ACCELERATION_STRUCTURE_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceConditionalRenderingFeaturesEXT,
        PHYSICAL_DEVICE_CONDITIONAL_RENDERING_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceCooperativeMatrixFeaturesKHR,
        PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceCustomBorderColorFeaturesEXT,
        PHYSICAL_DEVICE_CUSTOM_BORDER_COLOR_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceDynamicRenderingLocalReadFeaturesKHR,
        PHYSICAL_DEVICE_DYNAMIC_RENDERING_LOCAL_READ_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceGraphicsPipelineLibraryFeaturesEXT,
        PHYSICAL_DEVICE_GRAPHICS_PIPELINE_LIBRARY_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceHostImageCopyFeaturesEXT, PHYSICAL_DEVICE_HOST_IMAGE_COPY_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceMaintenance5FeaturesKHR, PHYSICAL_DEVICE_MAINTENANCE_5_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceMaintenance6FeaturesKHR, PHYSICAL_DEVICE_MAINTENANCE_6_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceMeshShaderFeaturesEXT, PHYSICAL_DEVICE_MESH_SHADER_FEATURES_EXT);
TYPE_OF(VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR,
        PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR);
TYPE_OF(VkPhysicalDevicePrimitivesGeneratedQueryFeaturesEXT,
        PHYSICAL_DEVICE_PRIMITIVES_GENERATED_QUERY_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceProtectedMemoryFeatures, PHYSICAL_DEVICE_PROTECTED_MEMORY_FEATURES);
TYPE_OF(VkPhysicalDeviceRayQueryFeaturesKHR, PHYSICAL_DEVICE_RAY_QUERY_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceRayTracingPipelineFeaturesKHR,
        PHYSICAL_DEVICE_RAY_TRACING_PIPELINE_FEATURES_KHR);
TYPE_OF(VkPhysicalDeviceRobustness2FeaturesEXT, PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT,
        PHYSICAL_DEVICE_SHADER_IMAGE_ATOMIC_INT64_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceShaderObjectFeaturesEXT, PHYSICAL_DEVICE_SHADER_OBJECT_FEATURES_EXT);
TYPE_OF(VkPhysicalDeviceTransformFeedbackFeaturesEXT,
        PHYSICAL_DEVICE_TRANSFORM_FEEDBACK_FEATURES_EXT);

#undef TYPE_OF

}  // namespace corners
