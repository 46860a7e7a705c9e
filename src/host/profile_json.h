// Driver profiles as JSON: how a server's parent process hands what it has tested to its workers,
// so that no worker repeats the self-test. The reader trusts nothing: it checks every count.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/profile.h"
#include "platform/error.h"

namespace pvgpu::host {

std::string profiles_to_json(std::span<const DriverProfile> profiles);
Result<std::vector<DriverProfile>> profiles_from_json(std::string_view text);

}  // namespace pvgpu::host
