// Images and buffers: external create-info for memory that is shared, the LINEAR modifier where it is
// emulated, and host image copy with its bytes in the stream.
#include <fmt/format.h>

#include "host/emulation/linear_modifier.h"
#include "host/external_info.h"
#include "host/memory_types.h"
#include "host/pnext.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"

namespace pvgpu::venus {
namespace {

// Makes `info` what the driver shall see. `storage` must live as long as `info` is used.
void prepare(Call& call, VkBufferCreateInfo& info, VkExternalMemoryBufferCreateInfo& storage) {
  const Device& device = call.device();
  const auto query = host::driver_buffer_query(call.instance().vk.vkGetPhysicalDeviceExternalBufferProperties,
                                               device.physical->handle);
  host::set_buffer_handle_types(info, host::buffer_handle_types(*device.profile, info, query), storage);
}

VkResult prepare(Call& call, VkImageCreateInfo& info, VkExternalMemoryImageCreateInfo& storage) {
  const Device& device = call.device();
  if (device.profile->emulation.linear_modifier) {
    const auto rewritten = host::linear_modifier::rewrite_image(info);
    if (!rewritten) return rewritten.error();
  }
  // Vulkan lets no external image start PREINITIALIZED, yet the memory that it will be bound to may be ours.
  // Such an image starts UNDEFINED at the driver, and barriers from PREINITIALIZED are rewritten. Its
  // bytes survive: they can only mean something for linear tiling, where no driver has anything to discard.
  const VkImageLayout asked = info.initialLayout;
  if (asked == VK_IMAGE_LAYOUT_PREINITIALIZED) info.initialLayout = VK_IMAGE_LAYOUT_UNDEFINED;
  const auto query = host::driver_image_query(call.instance().vk.vkGetPhysicalDeviceImageFormatProperties2,
                                              device.physical->handle);
  const auto types = host::image_handle_types(*device.profile, info, query);
  host::set_image_handle_types(info, types, storage);
  if (types == 0) info.initialLayout = asked;
  return VK_SUCCESS;
}

// The guest's create-info says that it will export the memory.
template <class Info>
bool wants_export(const Info& info, VkStructureType external_type) {
  // Both external create-infos are {sType, pNext, handleTypes}.
  const auto* external = host::find_struct<VkExternalMemoryImageCreateInfo>(info.pNext, external_type);
  return external && external->handleTypes != 0;
}

// The driver's memory types as the guest is told them. `imported`: the resource can be bound to imported memory; `exported`: the guest
// wants to export that memory.
void translate_types(const Device& device, VkMemoryRequirements& requirements, bool imported, bool exported) {
  const host::DriverProfile& profile = *device.profile;
  requirements.memoryTypeBits = host::guest_memory_types(profile, requirements.memoryTypeBits, imported);
  if (exported) requirements.memoryTypeBits &= host::exportable_memory_types(profile);
}
void translate_types(const Device& device, VkBuffer buffer, VkMemoryRequirements& requirements) {
  translate_types(device, requirements, true, device.exported_buffers.contains(buffer));
}
void translate_types(const Device& device, VkImage image, VkMemoryRequirements& requirements) {
  translate_types(device, requirements, device.linear_images.contains(image), device.exported_images.contains(image));
}

// An exported image whose bytes nobody can be given is an ordinary image of optimal tiling: NVIDIA's GPUs
// cannot even render to a linear one beside a depth buffer (Xid 69). The guest is told the layout that a linear
// image would have. `linear` is the create-info after prepare().
std::optional<VkSubresourceLayout> make_stand_in(Call& call, VkImageCreateInfo& linear) {
  const Device& device = call.device();
  if (linear.tiling != VK_IMAGE_TILING_LINEAR || !host::exports_stand_ins(*device.profile)) return std::nullopt;
  VkImage image = VK_NULL_HANDLE;
  if (device.vk.vkCreateImage(device.handle, &linear, nullptr, &image) != VK_SUCCESS) return std::nullopt;
  const VkImageSubresource subresource{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0};
  VkSubresourceLayout layout{};
  device.vk.vkGetImageSubresourceLayout(device.handle, image, &subresource, &layout);
  device.vk.vkDestroyImage(device.handle, image, nullptr);
  linear.tiling = VK_IMAGE_TILING_OPTIMAL;
  return layout;
}

std::optional<VkSubresourceLayout> stand_in_layout(Device& device, VkImage image) {
  if (!device.exported_images.contains(image)) return std::nullopt;
  std::lock_guard lock(device.stand_ins_mutex);
  const auto found = device.stand_ins.find(image);
  return found == device.stand_ins.end() ? std::nullopt : std::optional(found->second);
}

// Bytes that a copy of this region can touch at most, whatever the format; nullopt on overflow.
std::optional<size_t> copy_bound(const VkExtent3D& extent, uint32_t row_length, uint32_t image_height, uint32_t layers) {
  constexpr uint64_t kLargestTexel = 32;  // VK_FORMAT_R64G64B64A64_*
  uint64_t bound = kLargestTexel;
  for (uint64_t factor : {uint64_t{std::max(row_length, extent.width)}, uint64_t{std::max(image_height, extent.height)},
                          uint64_t{extent.depth}, uint64_t{layers}})
    if (__builtin_mul_overflow(bound, factor, &bound)) return std::nullopt;
  return bound;
}

}  // namespace

void handle(Call& call, protocol::CreateBufferArgs& args) {
  const VkBuffer id = *args.pBuffer;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  VkExternalMemoryBufferCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO};
  const bool exported = wants_export(*args.pCreateInfo, external.sType);
  prepare(call, const_cast<VkBufferCreateInfo&>(*args.pCreateInfo), external);
  args.call(call.device().vk.vkCreateBuffer);
  if (exported && args.ret == VK_SUCCESS) call.device().exported_buffers.insert(*args.pBuffer);
  *args.pBuffer = call.created(id, args.ret, *args.pBuffer);
}

void handle(Call& call, protocol::DestroyBufferArgs& args) {
  if (!args.buffer) return;
  Object* object = call.find(args.buffer);
  if (!object) return;
  args.buffer = std::bit_cast<VkBuffer>(object->handle);
  call.context().objects().erase(object);
  call.device().exported_buffers.erase(args.buffer);
  args.call(call.device().vk.vkDestroyBuffer);
}

void handle(Call& call, protocol::CreateImageArgs& args) {
  const VkImage id = *args.pImage;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  VkExternalMemoryImageCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO};
  const VkImageLayout asked = args.pCreateInfo->initialLayout;
  const bool exported = wants_export(*args.pCreateInfo, external.sType);
  args.ret = prepare(call, const_cast<VkImageCreateInfo&>(*args.pCreateInfo), external);
  *args.pImage = VK_NULL_HANDLE;
  std::optional<VkSubresourceLayout> stand_in;
  if (args.ret == VK_SUCCESS && exported)
    stand_in = make_stand_in(call, const_cast<VkImageCreateInfo&>(*args.pCreateInfo));
  if (args.ret == VK_SUCCESS) args.call(call.device().vk.vkCreateImage);
  if (args.ret == VK_SUCCESS && stand_in) {
    std::lock_guard lock(call.device().stand_ins_mutex);
    call.device().stand_ins.insert_or_assign(*args.pImage, *stand_in);
  }
  if (args.ret == VK_SUCCESS && args.pCreateInfo->initialLayout != asked)
    call.device().preinitialized.insert(*args.pImage);
  if (exported && args.ret == VK_SUCCESS) {
    call.device().exported_images.insert(*args.pImage);
    if (!stand_in) call.device().shared_images.insert(*args.pImage);
  }
  const bool linear = args.pCreateInfo->tiling == VK_IMAGE_TILING_LINEAR;
  if (linear && call.device().profile->split_memory_types && args.ret == VK_SUCCESS) call.device().linear_images.insert(*args.pImage);
  *args.pImage = call.created(id, args.ret, *args.pImage);
}

void handle(Call& call, protocol::DestroyImageArgs& args) {
  if (!args.image) return;
  Object* object = call.find(args.image);
  if (!object) return;
  args.image = std::bit_cast<VkImage>(object->handle);
  call.context().objects().erase(object);
  call.device().preinitialized.erase(args.image);
  call.device().linear_images.erase(args.image);
  call.device().shared_images.erase(args.image);
  if (call.device().exported_images.erase(args.image)) {
    std::lock_guard lock(call.device().stand_ins_mutex);
    call.device().stand_ins.erase(args.image);
  }
  args.call(call.device().vk.vkDestroyImage);
}

void handle(Call& call, protocol::GetBufferMemoryRequirementsArgs& args) {
  args.call(call.device().vk.vkGetBufferMemoryRequirements);
  translate_types(call.device(), args.buffer, *args.pMemoryRequirements);
}

void handle(Call& call, protocol::GetBufferMemoryRequirements2Args& args) {
  args.call(call.device().vk.vkGetBufferMemoryRequirements2);
  translate_types(call.device(), args.pInfo->buffer, args.pMemoryRequirements->memoryRequirements);
}

void handle(Call& call, protocol::GetImageMemoryRequirementsArgs& args) {
  args.call(call.device().vk.vkGetImageMemoryRequirements);
  translate_types(call.device(), args.image, *args.pMemoryRequirements);
}

void handle(Call& call, protocol::GetImageMemoryRequirements2Args& args) {
  args.call(call.device().vk.vkGetImageMemoryRequirements2);
  translate_types(call.device(), args.pInfo->image, args.pMemoryRequirements->memoryRequirements);
}

void handle(Call& call, protocol::GetDeviceBufferMemoryRequirementsArgs& args) {
  const auto f = call.device().vk.vkGetDeviceBufferMemoryRequirements;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "maintenance4 is not enabled");
  VkExternalMemoryBufferCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO};
  const bool exported = wants_export(*args.pInfo->pCreateInfo, external.sType);
  prepare(call, const_cast<VkBufferCreateInfo&>(*args.pInfo->pCreateInfo), external);
  args.call(f);
  translate_types(call.device(), args.pMemoryRequirements->memoryRequirements, true, exported);
}

void handle(Call& call, protocol::GetDeviceImageMemoryRequirementsArgs& args) {
  const auto f = call.device().vk.vkGetDeviceImageMemoryRequirements;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "maintenance4 is not enabled");
  VkExternalMemoryImageCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO};
  const bool exported = wants_export(*args.pInfo->pCreateInfo, external.sType);
  if (prepare(call, const_cast<VkImageCreateInfo&>(*args.pInfo->pCreateInfo), external) == VK_SUCCESS) args.call(f);
  const bool linear = args.pInfo->pCreateInfo->tiling == VK_IMAGE_TILING_LINEAR;
  translate_types(call.device(), args.pMemoryRequirements->memoryRequirements, linear, exported);
}

void handle(Call& call, protocol::GetDeviceImageSparseMemoryRequirementsArgs& args) {
  const auto f = call.device().vk.vkGetDeviceImageSparseMemoryRequirements;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "maintenance4 is not enabled");
  VkExternalMemoryImageCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO};
  if (prepare(call, const_cast<VkImageCreateInfo&>(*args.pInfo->pCreateInfo), external) == VK_SUCCESS) return args.call(f);
  *args.pSparseMemoryRequirementCount = 0;
}

namespace {

// Only where modifiers are emulated: a driver with real ones knows the memory-plane aspects.
void translate_aspect(Call& call, const VkImageSubresource& subresource) {
  if (call.device().profile->emulation.linear_modifier)
    const_cast<VkImageSubresource&>(subresource).aspectMask =
        host::linear_modifier::to_driver_aspect(subresource.aspectMask);
}

}  // namespace

void handle(Call& call, protocol::GetImageSubresourceLayoutArgs& args) {
  if (const auto layout = stand_in_layout(call.device(), args.image)) {
    *args.pLayout = *layout;
    return;
  }
  translate_aspect(call, *args.pSubresource);
  args.call(call.device().vk.vkGetImageSubresourceLayout);
}

void handle(Call& call, protocol::GetImageSubresourceLayout2Args& args) {
  const auto f = call.device().vk.vkGetImageSubresourceLayout2;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "maintenance5 is not enabled");
  if (const auto layout = stand_in_layout(call.device(), args.image)) {
    args.pLayout->subresourceLayout = *layout;
    return;
  }
  translate_aspect(call, args.pSubresource->imageSubresource);
  args.call(f);
}

void handle(Call& call, protocol::GetDeviceImageSubresourceLayoutArgs& args) {
  const auto f = call.device().vk.vkGetDeviceImageSubresourceLayout;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "maintenance5 is not enabled");
  VkExternalMemoryImageCreateInfo external{VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO};
  translate_aspect(call, args.pInfo->pSubresource->imageSubresource);
  if (prepare(call, const_cast<VkImageCreateInfo&>(*args.pInfo->pCreateInfo), external) == VK_SUCCESS) args.call(f);
}

void handle(Call& call, protocol::GetImageDrmFormatModifierPropertiesEXTArgs& args) {
  if (call.device().profile->emulation.linear_modifier) {
    args.ret = host::linear_modifier::answer(*args.pProperties);
    return;
  }
  const auto f = call.device().vk.vkGetImageDrmFormatModifierPropertiesEXT;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "VK_EXT_image_drm_format_modifier is not enabled");
  args.call(f);
}

void handle(Call& call, protocol::CopyImageToMemoryMESAArgs& args) {
  const auto f = call.device().vk.vkCopyImageToMemory;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "host image copy is not enabled");
  const VkCopyImageToMemoryInfoMESA& info = *args.pCopyImageToMemoryInfo;
  const auto bound = copy_bound(info.imageExtent, info.memoryRowLength, info.memoryImageHeight,
                                info.imageSubresource.layerCount);
  // The driver writes as much as the format needs, not as much as the guest says: give it room.
  void* bytes = bound && *bound > args.dataSize ? call.stream().arena().make<std::byte>(*bound) : args.pData;
  if (!bound || !bytes) return call.poison(PoisonReason::kLimitExceeded, "the region is too large");
  VkImageToMemoryCopy region{VK_STRUCTURE_TYPE_IMAGE_TO_MEMORY_COPY};
  region.pHostPointer = bytes;
  region.memoryRowLength = info.memoryRowLength;
  region.memoryImageHeight = info.memoryImageHeight;
  region.imageSubresource = info.imageSubresource;
  region.imageOffset = info.imageOffset;
  region.imageExtent = info.imageExtent;
  VkCopyImageToMemoryInfo copy{VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO};
  copy.flags = info.flags;
  copy.srcImage = info.srcImage;
  copy.srcImageLayout = info.srcImageLayout;
  copy.regionCount = 1;
  copy.pRegions = &region;
  args.ret = f(args.device, &copy);
  if (bytes != args.pData && args.dataSize) std::memcpy(args.pData, bytes, args.dataSize);
}

void handle(Call& call, protocol::CopyMemoryToImageMESAArgs& args) {
  const auto f = call.device().vk.vkCopyMemoryToImage;
  if (!f) return call.poison(PoisonReason::kUnavailableCommand, "host image copy is not enabled");
  const VkCopyMemoryToImageInfoMESA& info = *args.pCopyMemoryToImageInfo;
  auto* regions = call.stream().arena().make_zeroed<VkMemoryToImageCopy>(info.regionCount);
  if (!regions) return call.poison(PoisonReason::kLimitExceeded, "too many regions");
  for (uint32_t i = 0; i < info.regionCount; ++i) {
    const VkMemoryToImageCopyMESA& from = info.pRegions[i];
    const auto bound = copy_bound(from.imageExtent, from.memoryRowLength, from.memoryImageHeight,
                                  from.imageSubresource.layerCount);
    const void* bytes = from.pData;
    if (bound && *bound > from.dataSize) {  // the driver may read past what the guest sent
      auto* room = call.stream().arena().make_zeroed<std::byte>(*bound);
      if (room && from.dataSize) std::memcpy(room, from.pData, from.dataSize);
      bytes = room;
    }
    if (!bound || !bytes) return call.poison(PoisonReason::kLimitExceeded, "a region is too large");
    VkMemoryToImageCopy& to = regions[i];
    to.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY;
    to.pHostPointer = bytes;
    to.memoryRowLength = from.memoryRowLength;
    to.memoryImageHeight = from.memoryImageHeight;
    to.imageSubresource = from.imageSubresource;
    to.imageOffset = from.imageOffset;
    to.imageExtent = from.imageExtent;
  }
  VkCopyMemoryToImageInfo copy{VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO};
  copy.flags = info.flags;
  copy.dstImage = info.dstImage;
  copy.dstImageLayout = info.dstImageLayout;
  copy.regionCount = info.regionCount;
  copy.pRegions = regions;
  args.ret = f(args.device, &copy);
}

}  // namespace pvgpu::venus
