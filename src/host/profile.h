// What is known about one host device: identity, level, how its memory can be shared, and which of
// the things that stock Mesa asks for are passed through, emulated or hidden. A plain value, made
// by the self-test and carried between the processes of a server as JSON (profile_json.h).
// Immutable once Host::open has returned, so every thread may read it.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pvgpu::host {

struct DeviceIdentity {
  std::array<uint8_t, VK_UUID_SIZE> device_uuid{};
  std::array<uint8_t, VK_UUID_SIZE> driver_uuid{};
  std::string name;
  // Which one it is of several that are the same in all of the above (the same driver installed twice, say): 0, 1, …
  // in the order in which the loader lists them.
  uint32_t occurrence = 0;
  bool operator==(const DeviceIdentity&) const = default;
};

// Sets the `occurrence` of each, from those before it. All devices of an instance, in the loader's order.
void count_occurrences(std::span<DeviceIdentity> identities);

enum class MemoryStrategy {
  kNone,        // cannot be shared: the guest does not see HOST_VISIBLE
  kHostImport,  // our shared memory, imported by pointer (VK_EXT_external_memory_host)
  kDmaBuf,      // the driver's memory, exported as a dma-buf
  kOpaqueFd,    // the driver's memory, exported as an opaque descriptor that is mappable from 0
};

// "none", "host_import", "dma_buf", "opaque_fd".
std::string_view strategy_name(MemoryStrategy strategy);
// The handle type that memory of this strategy is imported or exported with; 0 for kNone.
VkExternalMemoryHandleTypeFlags strategy_handle_type(MemoryStrategy strategy);

struct MemoryTypePlan {
  MemoryStrategy strategy = MemoryStrategy::kNone;
  bool hidden = false;  // HOST_VISIBLE is withheld from the guest
  std::string verdict;  // the self-test's words: "host_import: coherent both ways"
};

enum class Treatment { kPassedThrough, kEmulated, kHidden, kAbsent };

// "passed through", "emulated", "hidden", "absent".
std::string_view treatment_name(Treatment treatment);

struct FeatureVerdict {
  std::string name;  // an extension's name, or a word for a behaviour
  Treatment treatment;
  std::string reason;
};

// Each flag: the driver lacks the thing and src/host/emulation provides its meaning.
struct Emulation {
  bool sync_fd_semaphore = false;  // VK_KHR_external_semaphore_fd, SYNC_FD importable
  bool sync_fd_fence = false;      // VK_KHR_external_fence_fd, SYNC_FD exportable
  bool dma_buf_memory =
      false;  // VK_EXT_external_memory_dma_buf + VK_KHR_external_memory_fd on memory that we own
  bool linear_modifier = false;  // VK_EXT_image_drm_format_modifier with the LINEAR modifier alone
  bool queue_family_foreign = false;  // VK_EXT_queue_family_foreign, as VK_QUEUE_FAMILY_EXTERNAL
};

struct DriverProfile {
  DeviceIdentity identity;
  std::string driver_name, driver_info, pci_address;  // pci_address may be empty: "0000:01:00.0"
  VkDriverId driver_id{};
  VkPhysicalDeviceType device_type{};
  uint32_t vendor_id = 0, device_id = 0;
  uint32_t api_version = 0;  // the driver's own
  uint32_t driver_version = 0;
  std::vector<VkExtensionProperties> driver_extensions;  // as the driver lists them
  VkPhysicalDeviceMemoryProperties memory{};             // as the driver reports it, unless types are split
  std::array<MemoryTypePlan, VK_MAX_MEMORY_TYPES> memory_plan{};
  VkDeviceSize import_alignment = 0;  // minImportedHostPointerAlignment; 0 without the extension
  bool external_memory_host = false;  // the driver can import host pointers
  bool all_types_host_visible =
      false;  // every memory type is HOST_VISIBLE (lavapipe, many integrated GPUs)
  // Images can be bound to imported memory only if their tiling is linear, and all memory would be imported. The guest gets two memory
  // types for each of the driver's, and `memory` and `memory_plan` are of those: see memory_types.h.
  bool split_memory_types = false;
  // Handle types that a buffer can be created with without losing memory types: 0, or one or more
  // of those of the plan. See external_info.h.
  VkExternalMemoryHandleTypeFlags buffer_handle_types = 0;
  // The driver does not list HOST_ALLOCATION for images of linear tiling, yet such images fit
  // memory types that are shared (see dma_buf::ask_without_external).
  bool unlisted_linear_import = false;
  // The driver lists HOST_ALLOCATION for images of linear tiling, and they lose no memory types by it.
  bool harmless_linear_import = false;
  // What the driver itself says of SYNC_FD; 0 without the extension.
  VkExternalSemaphoreFeatureFlags sync_fd_semaphore_features = 0;
  VkExternalFenceFeatureFlags sync_fd_fence_features = 0;
  Emulation emulation;
  std::vector<FeatureVerdict> verdicts;  // what `pvgpu info` prints

  bool has_extension(std::string_view name) const;
  // Extensions that every VkDevice needs for the plan above, whether or not the guest asks for
  // them.
  std::vector<const char*> required_device_extensions() const;
  // Some memory type is served by `strategy`.
  bool uses(MemoryStrategy strategy) const;
  // The verdict on `name`, or nullptr.
  const FeatureVerdict* verdict(std::string_view name) const;
};

}  // namespace pvgpu::host
