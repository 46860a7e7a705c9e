// The environment in which a program uses a vtest server's GPU: this process's own, with what Mesa
// and the Vulkan loader need to know. A pure function.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace pvgpu::cli {

// VN_PERF for Mesa's guests: ask the host about fences and semaphores instead of looking into memory. They wait less long so
// (docs/performance.md), and what they would look at can be wrong (docs/compatibility.md).
inline constexpr const char* kAskingGuest = "no_fence_feedback,no_semaphore_feedback";

struct GuestSettings {
  std::string socket_path;
  std::vector<std::string> icds;  // manifests of the Venus driver
  // Windows are drawn by copying through the CPU: the server's memory is no dma-buf, which a
  // compositor could take.
  bool software_wsi = true;
};

// `current`: "NAME=value" strings. Lists that the user has set (VN_DEBUG, MESA_VK_WSI_DEBUG) are
// kept and added to.
std::vector<std::string> guest_environment(std::span<const std::string> current,
                                           const GuestSettings& settings);

}  // namespace pvgpu::cli
