#include "frontends/server/probe_result.h"

#include <algorithm>

namespace pvgpu::frontends::server {

std::string probe_to_text(const ProbeResult& result) {
  return result.memory + '\n' + result.profile_json;
}

std::optional<ProbeResult> probe_from_text(const std::string& text) {
  size_t end = text.find('\n');
  if (end == std::string::npos || end == 0 || end + 1 == text.size()) return std::nullopt;
  return ProbeResult{text.substr(0, end), text.substr(end + 1)};
}

ProbeResult probe_of(const host::Host& host) {
  bool dma_buf = std::ranges::any_of(host.devices(), [](const host::DriverProfile& device) {
    return std::ranges::any_of(device.memory_plan, [](const host::MemoryTypePlan& plan) {
      return plan.strategy == host::MemoryStrategy::kDmaBuf;
    });
  });
  return ProbeResult{dma_buf ? "dma_buf" : "host_import", host.profiles_as_json()};
}

}  // namespace pvgpu::frontends::server
