// What a guest is told about a physical device, where that differs from what the driver says:
// extensions, memory types, sparse resources, and the things that src/host/emulation claims.
#include <algorithm>
#include <cstring>

#include "host/emulation/dma_buf.h"
#include "host/emulation/linear_modifier.h"
#include "host/emulation/sync_fd.h"
#include "host/extensions.h"
#include "host/memory_types.h"
#include "host/pnext.h"
#include "host/sparse.h"
#include "protocol/handlers.h"
#include "protocol/tables.h"
#include "venus/call.h"

namespace pvgpu::venus {
namespace {

template <class Properties>
void copy_out(const std::vector<Properties>& from, uint32_t* count, Properties* to, VkResult& result) {
  const auto available = static_cast<uint32_t>(from.size());
  result = VK_SUCCESS;
  if (to) {
    if (*count < available) result = VK_INCOMPLETE;
    *count = std::min(*count, available);
    std::copy_n(from.begin(), *count, to);
  } else {
    *count = available;
  }
}

}  // namespace

void handle(Call& call, protocol::EnumerateDeviceExtensionPropertiesArgs& args) {
  // The profile leaves out what this build cannot decode (carried_extensions); a newer specification of an
  // extension than the registry's could bring structures that it does not know.
  std::vector<VkExtensionProperties> shown;
  for (VkExtensionProperties& properties : host::guest_device_extensions(call.profile())) {
    const protocol::Extension* known = protocol::find_extension(properties.extensionName);
    if (!known || known->instance) continue;
    properties.specVersion = std::min(properties.specVersion, known->spec_version);
    shown.push_back(properties);
  }
  copy_out(shown, args.pPropertyCount, args.pProperties, args.ret);
}

void handle(Call&, protocol::EnumerateDeviceLayerPropertiesArgs& args) {
  *args.pPropertyCount = 0;
  args.ret = VK_SUCCESS;
}

void handle(Call& call, protocol::GetPhysicalDeviceFeaturesArgs& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceFeatures);
  if (host::sparse::is_hidden(call.profile())) host::sparse::hide(*args.pFeatures);
}

void handle(Call& call, protocol::GetPhysicalDeviceFeatures2Args& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceFeatures2);
  if (!host::sparse::is_hidden(call.profile())) return;
  host::sparse::hide(args.pFeatures->features);
  if (auto* atomics = host::find_struct<VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT>(
          args.pFeatures->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_IMAGE_ATOMIC_INT64_FEATURES_EXT))
    atomics->sparseImageInt64Atomics = VK_FALSE;
}

void handle(Call& call, protocol::GetPhysicalDevicePropertiesArgs& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceProperties);
  if (host::sparse::is_hidden(call.profile())) host::sparse::hide(*args.pProperties);
}

void handle(Call& call, protocol::GetPhysicalDeviceProperties2Args& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceProperties2);
  if (host::sparse::is_hidden(call.profile())) host::sparse::hide(args.pProperties->properties);
}

void handle(Call& call, protocol::GetPhysicalDeviceQueueFamilyPropertiesArgs& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceQueueFamilyProperties);
  if (!args.pQueueFamilyProperties || !host::sparse::is_hidden(call.profile())) return;
  for (uint32_t i = 0; i < *args.pQueueFamilyPropertyCount; ++i) host::sparse::hide(args.pQueueFamilyProperties[i]);
}

void handle(Call& call, protocol::GetPhysicalDeviceQueueFamilyProperties2Args& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceQueueFamilyProperties2);
  if (!args.pQueueFamilyProperties || !host::sparse::is_hidden(call.profile())) return;
  for (uint32_t i = 0; i < *args.pQueueFamilyPropertyCount; ++i)
    host::sparse::hide(args.pQueueFamilyProperties[i].queueFamilyProperties);
}

void handle(Call& call, protocol::GetPhysicalDeviceMemoryPropertiesArgs& args) {
  *args.pMemoryProperties = host::guest_memory_properties(call.profile());
}

void handle(Call& call, protocol::GetPhysicalDeviceMemoryProperties2Args& args) {
  args.call(call.instance().vk.vkGetPhysicalDeviceMemoryProperties2);  // for the chain: budgets
  args.pMemoryProperties->memoryProperties = host::guest_memory_properties(call.profile());
}

void handle(Call& call, protocol::GetPhysicalDeviceFormatProperties2Args& args) {
  if (!call.profile().emulation.linear_modifier) return args.call(call.instance().vk.vkGetPhysicalDeviceFormatProperties2);
  host::linear_modifier::FormatQuery query(*args.pFormatProperties);
  args.call(call.instance().vk.vkGetPhysicalDeviceFormatProperties2);
  query.finish(args.format);
}

void handle(Call& call, protocol::GetPhysicalDeviceImageFormatPropertiesArgs& args) {
  if (args.tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {  // only the 2-form can say which modifier
    args.ret = VK_ERROR_FORMAT_NOT_SUPPORTED;
    return;
  }
  args.call(call.instance().vk.vkGetPhysicalDeviceImageFormatProperties);
}

void handle(Call& call, protocol::GetPhysicalDeviceImageFormatProperties2Args& args) {
  const host::DriverProfile& profile = call.profile();
  auto& info = const_cast<VkPhysicalDeviceImageFormatInfo2&>(*args.pImageFormatInfo);  // the decoder's copy
  if (profile.emulation.linear_modifier) {
    args.ret = host::linear_modifier::rewrite(info);
    if (args.ret != VK_SUCCESS) return;
  }
  if (!profile.emulation.dma_buf_memory) return args.call(call.instance().vk.vkGetPhysicalDeviceImageFormatProperties2);
  if (!host::dma_buf::rewrite(profile, info)) {
    args.ret = VK_ERROR_FORMAT_NOT_SUPPORTED;
    return;
  }
  args.call(call.instance().vk.vkGetPhysicalDeviceImageFormatProperties2);
  if (args.ret == VK_SUCCESS) args.ret = host::dma_buf::finish(*args.pImageFormatProperties);
  if (args.ret == VK_ERROR_FORMAT_NOT_SUPPORTED && host::dma_buf::ask_without_external(profile, info)) {
    args.call(call.instance().vk.vkGetPhysicalDeviceImageFormatProperties2);
    if (args.ret == VK_SUCCESS) host::dma_buf::claim(*args.pImageFormatProperties);
  }
}

void handle(Call& call, protocol::GetPhysicalDeviceExternalBufferPropertiesArgs& args) {
  const host::DriverProfile& profile = call.profile();
  auto& info = const_cast<VkPhysicalDeviceExternalBufferInfo&>(*args.pExternalBufferInfo);  // the decoder's copy
  if (!profile.emulation.dma_buf_memory) return args.call(call.instance().vk.vkGetPhysicalDeviceExternalBufferProperties);
  // Handle types that are not ours to give stay zero: the driver's extension for them may not be enabled.
  if (info.handleType != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT || !host::dma_buf::rewrite(profile, info)) return;
  args.call(call.instance().vk.vkGetPhysicalDeviceExternalBufferProperties);
  args.pExternalBufferProperties->externalMemoryProperties =
      host::dma_buf::to_guest(args.pExternalBufferProperties->externalMemoryProperties);
}

void handle(Call& call, protocol::GetPhysicalDeviceExternalFencePropertiesArgs& args) {
  if (!host::sync_fd::answer(call.profile(), *args.pExternalFenceInfo, *args.pExternalFenceProperties))
    args.call(call.instance().vk.vkGetPhysicalDeviceExternalFenceProperties);
}

void handle(Call& call, protocol::GetPhysicalDeviceExternalSemaphorePropertiesArgs& args) {
  if (!host::sync_fd::answer(call.profile(), *args.pExternalSemaphoreInfo, *args.pExternalSemaphoreProperties))
    args.call(call.instance().vk.vkGetPhysicalDeviceExternalSemaphoreProperties);
}

}  // namespace pvgpu::venus
