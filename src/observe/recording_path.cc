#include <fmt/format.h>

#include "observe/recording.h"

namespace pvgpu::observe {

std::string recording_path(const std::string& path, uint64_t client) {
  return client <= 1 ? path : fmt::format("{}.{}", path, client);
}

}  // namespace pvgpu::observe
