#include "host/extensions.h"

#include <algorithm>
#include <array>

#include "host/emulation/dma_buf.h"
#include "host/emulation/linear_modifier.h"
#include "host/emulation/queue_family.h"
#include "host/emulation/sync_fd.h"

namespace pvgpu::host {
namespace {

using Claims = std::vector<VkExtensionProperties>;

void append(Claims& claims, std::span<const VkExtensionProperties> more) {
  claims.insert(claims.end(), more.begin(), more.end());
}

Claims emulated_extensions(const Emulation& emulation) {
  Claims claims;
  if (emulation.sync_fd_semaphore) append(claims, sync_fd::semaphore_extensions());
  if (emulation.sync_fd_fence) append(claims, sync_fd::fence_extensions());
  if (emulation.dma_buf_memory) append(claims, dma_buf::extensions());
  if (emulation.linear_modifier) append(claims, linear_modifier::extensions());
  if (emulation.queue_family_foreign) append(claims, queue_family::extensions());
  return claims;
}

bool contains(std::span<const VkExtensionProperties> extensions, std::string_view name) {
  return std::any_of(
      extensions.begin(), extensions.end(),
      [&](const VkExtensionProperties& extension) { return name == extension.extensionName; });
}

struct Hidden {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view kHostWindows = "works on windows of the host; the guest brings its own";
constexpr std::string_view kHostHandles = "its handles and pointers are of the host's process";
constexpr std::array kHidden = {
    Hidden{"VK_KHR_swapchain", kHostWindows},
    Hidden{"VK_KHR_swapchain_mutable_format", kHostWindows},
    Hidden{"VK_KHR_display_swapchain", kHostWindows},
    Hidden{"VK_KHR_incremental_present", kHostWindows},
    Hidden{"VK_KHR_shared_presentable_image", kHostWindows},
    Hidden{"VK_KHR_present_id", kHostWindows},
    Hidden{"VK_KHR_present_id2", kHostWindows},
    Hidden{"VK_KHR_present_wait", kHostWindows},
    Hidden{"VK_KHR_present_wait2", kHostWindows},
    Hidden{"VK_KHR_swapchain_maintenance1", kHostWindows},
    Hidden{"VK_EXT_swapchain_maintenance1", kHostWindows},
    Hidden{"VK_EXT_display_control", kHostWindows},
    Hidden{"VK_EXT_full_screen_exclusive", kHostWindows},
    Hidden{"VK_EXT_hdr_metadata", kHostWindows},
    Hidden{"VK_EXT_present_mode_fifo_latest_ready", kHostWindows},
    Hidden{"VK_GOOGLE_display_timing", kHostWindows},
    Hidden{"VK_NV_present_barrier", kHostWindows},
    Hidden{"VK_NV_low_latency", kHostWindows},
    Hidden{"VK_NV_low_latency2", kHostWindows},
    Hidden{"VK_NV_acquire_winrt_display", kHostWindows},
    Hidden{"VK_KHR_portability_subset", "enabled by this host; guests do not know it"},
    Hidden{"VK_EXT_external_memory_host", kHostHandles},
    Hidden{"VK_EXT_external_memory_metal", kHostHandles},
    Hidden{"VK_EXT_metal_objects", kHostHandles},
    Hidden{"VK_EXT_map_memory_placed", kHostHandles},
    Hidden{"VK_EXT_device_memory_report", kHostHandles},
    Hidden{"VK_EXT_physical_device_drm", kHostHandles},
    Hidden{"VK_KHR_external_memory_win32", kHostHandles},
    Hidden{"VK_KHR_external_semaphore_win32", kHostHandles},
    Hidden{"VK_KHR_external_fence_win32", kHostHandles},
    Hidden{"VK_KHR_win32_keyed_mutex", kHostHandles},
    Hidden{"VK_ANDROID_external_memory_android_hardware_buffer", kHostHandles},
    Hidden{"VK_ANDROID_native_buffer", kHostHandles},
    Hidden{"VK_FUCHSIA_external_memory", kHostHandles},
    Hidden{"VK_FUCHSIA_external_semaphore", kHostHandles},
    Hidden{"VK_FUCHSIA_buffer_collection", kHostHandles},
    Hidden{"VK_QNX_external_memory_screen_buffer", kHostHandles},
    Hidden{"VK_NV_external_memory_rdma", kHostHandles},
    Hidden{"VK_NV_external_memory_sci_buf", kHostHandles},
    Hidden{"VK_NV_external_sci_sync2", kHostHandles},
    Hidden{"VK_NV_cuda_kernel_launch", kHostHandles},
};

}  // namespace

std::string_view hidden_reason(std::string_view extension) {
  auto it = std::find_if(kHidden.begin(), kHidden.end(),
                         [&](const Hidden& hidden) { return hidden.name == extension; });
  return it == kHidden.end() ? std::string_view{} : it->reason;
}

std::vector<VkExtensionProperties> guest_device_extensions(const DriverProfile& profile) {
  Claims shown = emulated_extensions(profile.emulation);
  for (const VkExtensionProperties& extension : profile.driver_extensions) {
    // A claim replaces the driver's own entry: its version is the one that is emulated.
    if (contains(shown, extension.extensionName)) continue;
    const FeatureVerdict* verdict = profile.verdict(extension.extensionName);
    if (verdict && verdict->treatment == Treatment::kHidden) continue;
    shown.push_back(extension);
  }
  return shown;
}

std::expected<std::vector<const char*>, VkResult> driver_device_extensions(
    const DriverProfile& profile, std::span<const char* const> guest) {
  const Claims shown = guest_device_extensions(profile);
  const Claims emulated = emulated_extensions(profile.emulation);
  std::vector<const char*> names;
  auto add = [&](const char* name) {
    if (std::none_of(names.begin(), names.end(),
                     [&](const char* other) { return std::string_view(other) == name; })) {
      names.push_back(name);
    }
  };
  for (const char* name : guest) {
    if (!contains(shown, name)) return std::unexpected(VK_ERROR_EXTENSION_NOT_PRESENT);
    if (!contains(emulated, name)) add(name);
  }
  for (const char* name : profile.required_device_extensions()) add(name);
  return names;
}

}  // namespace pvgpu::host
