// Finds Mesa's Venus driver, libvulkan_virtio, the way that the Vulkan loader finds drivers: by the
// JSON manifests in well-known folders. Pure but for looking at files.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "platform/error.h"

namespace pvgpu::describe {

// getenv(3) or a test's stand-in; nullptr for a variable that is not set.
using Environment = std::function<const char*(const char* name)>;

// The folders that the loader searches, in its order.
std::vector<std::string> icd_folders(const Environment& environment);
// Manifests of the virtio driver in the first of `folders` that has any: virtio_icd.json,
// virtio_icd.x86_64.json … All architectures, since the loader takes those that it can load.
Result<std::vector<std::string>> find_virtio_icds(std::span<const std::string> folders);

}  // namespace pvgpu::describe
