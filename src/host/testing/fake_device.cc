#include "host/testing/fake_device.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "host/pnext.h"
#include "host/test_device.h"
#include "host/testing/profiles.h"

namespace pvgpu::host::testing {

struct FakeDevice::Memory {
  platform::SharedMemory file;  // exported and plain memory
  std::vector<std::byte> copy;  // where an import is a copy
  std::byte* data = nullptr;    // what the CPU maps and the GPU uses
  size_t size = 0;
  bool mapped = false;
};
struct FakeDevice::Buffer {
  VkDeviceSize size = 0;
  bool external = false;
  uint64_t memory = 0;
};

namespace {

FakeDevice* device = nullptr;

template <class Handle>
Handle to_handle(uint64_t id) {
  return reinterpret_cast<Handle>(static_cast<uintptr_t>(id));
}
template <class Handle>
uint64_t to_id(Handle handle) {
  return reinterpret_cast<uintptr_t>(handle);
}

}  // namespace

// Static members, so that they may be Vulkan's function pointers and still reach into the device.
struct FakeDevice::Table {
  static VkResult step() {
    return ++device->calls == device->fail_at ? VK_ERROR_OUT_OF_HOST_MEMORY : VK_SUCCESS;
  }
  static void misuse(const char* what) {
    if (device->bad.empty()) device->bad = what;
  }
  template <class Handle>
  static VkResult create(Handle* handle) {
    if (VkResult result = step(); result != VK_SUCCESS) return result;
    ++device->live;
    *handle = to_handle<Handle>(device->next_++);
    return VK_SUCCESS;
  }
  static void destroy() { --device->live; }

  static void GetPhysicalDeviceQueueFamilyProperties(VkPhysicalDevice, uint32_t* count,
                                                     VkQueueFamilyProperties* families) {
    if (families && *count > 0) {
      families[0] = {};
      families[0].queueCount = 1;
      families[0].queueFlags = VK_QUEUE_COMPUTE_BIT;
    }
    *count = 1;
  }
  static void GetPhysicalDeviceExternalBufferProperties(
      VkPhysicalDevice, const VkPhysicalDeviceExternalBufferInfo* info,
      VkExternalBufferProperties* out) {
    const bool dma_buf = info->handleType == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
    const bool opaque = info->handleType == VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
    auto& features = out->externalMemoryProperties.externalMemoryFeatures;
    features = 0;
    if ((dma_buf && device->exports_dma_buf) || (opaque && device->exports_opaque_fd)) {
      features = VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT;
    }
    if (!dma_buf && !opaque && device->imports_pointers) {
      features = VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    }
  }
  static VkResult CreateDevice(VkPhysicalDevice, const VkDeviceCreateInfo*,
                               const VkAllocationCallbacks*, VkDevice* out) {
    return create(out);
  }
  static void DestroyDevice(VkDevice, const VkAllocationCallbacks*) { destroy(); }
  static void GetDeviceQueue(VkDevice, uint32_t, uint32_t, VkQueue* queue) {
    *queue = to_handle<VkQueue>(1);
  }
  static VkResult CreateFence(VkDevice, const VkFenceCreateInfo*, const VkAllocationCallbacks*,
                              VkFence* out) {
    return create(out);
  }
  static void DestroyFence(VkDevice, VkFence, const VkAllocationCallbacks*) { destroy(); }
  static VkResult CreateCommandPool(VkDevice, const VkCommandPoolCreateInfo*,
                                    const VkAllocationCallbacks*, VkCommandPool* out) {
    return create(out);
  }
  static void DestroyCommandPool(VkDevice, VkCommandPool, const VkAllocationCallbacks*) {
    destroy();
  }
  static VkResult AllocateCommandBuffers(VkDevice, const VkCommandBufferAllocateInfo*,
                                         VkCommandBuffer* out) {
    *out = to_handle<VkCommandBuffer>(1);
    return step();
  }
  static VkResult BeginCommandBuffer(VkCommandBuffer, const VkCommandBufferBeginInfo*) {
    return step();
  }
  static VkResult EndCommandBuffer(VkCommandBuffer) { return step(); }
  static void CmdFillBuffer(VkCommandBuffer, VkBuffer buffer, VkDeviceSize, VkDeviceSize,
                            uint32_t value) {
    device->bound_ = to_id(buffer);
    device->fill_ = value;
  }
  static void CmdCopyBuffer(VkCommandBuffer, VkBuffer, VkBuffer, uint32_t, const VkBufferCopy*) {}
  static void CmdPipelineBarrier(VkCommandBuffer, VkPipelineStageFlags, VkPipelineStageFlags,
                                 VkDependencyFlags, uint32_t, const VkMemoryBarrier*, uint32_t,
                                 const VkBufferMemoryBarrier*, uint32_t,
                                 const VkImageMemoryBarrier*) {}
  static VkResult QueueSubmit(VkQueue, uint32_t, const VkSubmitInfo*, VkFence) {
    if (VkResult result = step(); result != VK_SUCCESS) return result;
    if (device->gpu_writes_are_lost || device->gpu_hangs) return VK_SUCCESS;
    const Buffer& buffer = device->buffers_.at(device->bound_);
    std::byte* data = device->memories_.at(buffer.memory).data;
    const size_t part = buffer.size / 4;
    for (size_t i = 0; i < part; i += sizeof(uint32_t)) {
      std::memcpy(data + i, &device->fill_, sizeof(uint32_t));
    }
    std::memcpy(data + 2 * part, data + part, part);
    return VK_SUCCESS;
  }
  static VkResult WaitForFences(VkDevice, uint32_t, const VkFence*, VkBool32, uint64_t) {
    return device->gpu_hangs ? VK_TIMEOUT : step();
  }
  static VkResult CreateBuffer(VkDevice, const VkBufferCreateInfo* info,
                               const VkAllocationCallbacks*, VkBuffer* out) {
    const VkResult result = create(out);
    if (result == VK_SUCCESS) {
      device->buffers_[to_id(*out)] = {info->size, info->pNext != nullptr, 0};
    }
    return result;
  }
  static void DestroyBuffer(VkDevice, VkBuffer buffer, const VkAllocationCallbacks*) {
    if (device->buffers_.erase(to_id(buffer)) == 0) misuse("destroyed an unknown buffer");
    destroy();
  }
  static void GetBufferMemoryRequirements(VkDevice, VkBuffer buffer, VkMemoryRequirements* needs) {
    const Buffer& entry = device->buffers_.at(to_id(buffer));
    const bool loses = entry.external && device->external_loses_types;
    *needs = {entry.size, 64, loses ? 0b01u : 0b11u};
  }
  static VkResult BindBufferMemory(VkDevice, VkBuffer buffer, VkDeviceMemory memory, VkDeviceSize) {
    if (VkResult result = step(); result != VK_SUCCESS) return result;
    device->buffers_.at(to_id(buffer)).memory = to_id(memory);
    return VK_SUCCESS;
  }
  static VkResult GetPhysicalDeviceImageFormatProperties2(
      VkPhysicalDevice, const VkPhysicalDeviceImageFormatInfo2* info,
      VkImageFormatProperties2* out) {
    if (VkResult result = step(); result != VK_SUCCESS) return result;
    auto* external = find_struct<const VkPhysicalDeviceExternalImageFormatInfo>(
        info->pNext, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO);
    auto* answer = find_struct<VkExternalImageFormatProperties>(
        out->pNext, VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES);
    if (external->handleType != 0) {
      const bool linear = info->tiling == VK_IMAGE_TILING_LINEAR;
      if (!(linear ? device->lists_linear_import : device->lists_tiled_import)) return VK_ERROR_FORMAT_NOT_SUPPORTED;
      answer->externalMemoryProperties.externalMemoryFeatures =
          VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    }
    out->imageFormatProperties = {{4096, 4096, 1}, 1, 1, VK_SAMPLE_COUNT_1_BIT, 1 << 30};
    return VK_SUCCESS;
  }
  static VkResult CreateImage(VkDevice, const VkImageCreateInfo* info, const VkAllocationCallbacks*,
                              VkImage* out) {
    device->image_is_external_ = info->pNext != nullptr;
    return create(out);
  }
  static void DestroyImage(VkDevice, VkImage, const VkAllocationCallbacks*) { destroy(); }
  static void GetImageMemoryRequirements(VkDevice, VkImage, VkMemoryRequirements* needs) {
    const bool loses = device->image_is_external_ && device->external_images_lose_types;
    *needs = {4096, 64, device->image_types & (loses ? 0b01u : ~0u)};
  }
  static VkResult AllocateMemory(VkDevice, const VkMemoryAllocateInfo* info,
                                 const VkAllocationCallbacks*, VkDeviceMemory* out) {
    if (VkResult result = create(out); result != VK_SUCCESS) return result;
    Memory memory;
    memory.size = info->allocationSize;
    auto* import = find_struct<const VkImportMemoryHostPointerInfoEXT>(
        info->pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    if (import && !device->import_copies) {
      memory.data = static_cast<std::byte*>(import->pHostPointer);
    } else if (import) {
      memory.copy.resize(memory.size);
      memory.data = memory.copy.data();
    } else {
      memory.file =
          std::move(*platform::SharedMemory::create(memory.size + device->export_header, "fake"));
      memory.data = memory.file.data() + device->export_header;
    }
    device->memories_[to_id(*out)] = std::move(memory);
    return VK_SUCCESS;
  }
  static void FreeMemory(VkDevice, VkDeviceMemory memory, const VkAllocationCallbacks*) {
    auto it = device->memories_.find(to_id(memory));
    if (it == device->memories_.end()) return misuse("freed unknown memory");
    if (it->second.mapped) misuse("freed memory that is mapped");
    for (const auto& [id, buffer] : device->buffers_) {
      if (buffer.memory == to_id(memory)) misuse("freed memory before its buffer");
    }
    device->memories_.erase(it);
    destroy();
  }
  static VkResult MapMemory(VkDevice, VkDeviceMemory memory, VkDeviceSize, VkDeviceSize,
                            VkMemoryMapFlags, void** out) {
    if (VkResult result = step(); result != VK_SUCCESS) return result;
    Memory& entry = device->memories_.at(to_id(memory));
    entry.mapped = true;
    ++device->mapped;
    *out = entry.data;
    return VK_SUCCESS;
  }
  static void UnmapMemory(VkDevice, VkDeviceMemory memory) {
    device->memories_.at(to_id(memory)).mapped = false;
    --device->mapped;
  }
  static VkResult GetMemoryFdKHR(VkDevice, const VkMemoryGetFdInfoKHR* info, int* fd) {
    if (VkResult result = step(); result != VK_SUCCESS) return result;
    *fd = device->fd_without_size
              ? ::open("/dev/zero", O_RDWR | O_CLOEXEC)
              : device->memories_.at(to_id(info->memory)).file.fd().duplicate().release();
    return VK_SUCCESS;
  }
  static VkResult GetMemoryHostPointerPropertiesEXT(VkDevice, VkExternalMemoryHandleTypeFlagBits,
                                                    const void*,
                                                    VkMemoryHostPointerPropertiesEXT* out) {
    out->memoryTypeBits = 0b01;
    return step();
  }

  static PFN_vkVoidFunction GetDeviceProcAddr(VkDevice, const char* name) {
#define PVGPU_ENTRY(function)                              \
  if (std::string_view(name) == "vk" #function) {          \
    return reinterpret_cast<PFN_vkVoidFunction>(function); \
  }
    PVGPU_TEST_DEVICE_FUNCTIONS(PVGPU_ENTRY)
    PVGPU_ENTRY(GetMemoryFdKHR)
    PVGPU_ENTRY(GetMemoryHostPointerPropertiesEXT)
#undef PVGPU_ENTRY
    return nullptr;
  }
};

FakeDevice::FakeDevice() {
  device = this;
}
FakeDevice::~FakeDevice() {
  device = nullptr;
}

InstanceFunctions FakeDevice::functions() const {
  InstanceFunctions f;
  f.get_queue_family_properties = Table::GetPhysicalDeviceQueueFamilyProperties;
  f.get_external_buffer_properties = Table::GetPhysicalDeviceExternalBufferProperties;
  f.get_image_format_properties2 = Table::GetPhysicalDeviceImageFormatProperties2;
  f.create_device = Table::CreateDevice;
  f.get_device_proc_addr = Table::GetDeviceProcAddr;
  return f;
}

DriverProfile FakeDevice::profile() const {
  DriverProfile profile = bare("fake");
  add_extensions(profile, {"VK_KHR_external_memory_fd", "VK_EXT_external_memory_dma_buf",
                           "VK_EXT_external_memory_host"});
  profile.external_memory_host = true;
  profile.import_alignment = 4096;
  add_memory_type(profile, kHostCoherent, MemoryStrategy::kNone);
  add_memory_type(profile, kDeviceLocal, MemoryStrategy::kNone);
  return profile;
}

}  // namespace pvgpu::host::testing
