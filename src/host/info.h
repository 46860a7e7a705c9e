// What `pvgpu info` and `--list-gpus` print. Pure text out of an opened Host.
#pragma once

#include <string>

#include "host/host.h"
#include "platform/error.h"

namespace pvgpu::host {

// For people: a section per device. `colour` adds terminal escapes.
std::string info_text(const Host& host, bool colour);
// For programs: one JSON object.
std::string info_json(const Host& host);

// A line per host device, in the order of the index selector: "0  NVIDIA H100  discrete
// 0000:01:00.0  UUID". Only enumerates: works where a driver would fail the self-test. Ignores
// options.gpu_selectors.
Result<std::string> list_gpus_text(const HostOptions& options);

// The Vulkan level that a guest's vulkaninfo shows (protocol reference, section 8.5). Guests until
// Mesa 25.0 and from Mesa 25.1 on; `registry_version` is the level of the registry that the decoder
// was generated from.
uint32_t guest_api_version_until_25_0(const DriverProfile& profile, uint32_t registry_version);
uint32_t guest_api_version_from_25_1(const DriverProfile& profile, uint32_t registry_version);

}  // namespace pvgpu::host
