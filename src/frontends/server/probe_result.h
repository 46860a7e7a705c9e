// What was found out by trying the host's Vulkan, once for all workers. Any thread.
#pragma once

#include <optional>
#include <string>

#include "host/host.h"

namespace pvgpu::frontends::server {

// And its form on the way from the probe to the supervisor and the workers.
struct ProbeResult {
  std::string memory;        // "dma_buf" if guests get dma-bufs from any device, else "host_import"
  std::string profile_json;  // Host::profiles_as_json
};
std::string probe_to_text(const ProbeResult& result);
std::optional<ProbeResult> probe_from_text(const std::string& text);
ProbeResult probe_of(const host::Host& host);

}  // namespace pvgpu::frontends::server
