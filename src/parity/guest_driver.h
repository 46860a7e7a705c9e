// What is known of Mesa's Venus driver, the guests' own part in what they are shown: rules that explain differences which it
// makes. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "describe/fact.h"

namespace pvgpu::parity {

// 2500 for "Mesa 25.0.7-2+deb13u1"; 0 for what is no Mesa.
uint32_t mesa_version(std::string_view driver_info);

// Why a guest's driver of this version shows something else than it was offered, or ""; `name` is Fact::name().
std::string_view guest_driver_reason(describe::Kind kind, std::string_view name, uint32_t mesa);

}  // namespace pvgpu::parity
