// What a monitor of ours says of itself: an EDID 1.4 block (VESA E-EDID standard, release A), from which guests take the
// preferred mode of a scanout and its name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pvgpu::virtio_gpu {

inline constexpr size_t kEdidBytes = 128;

// `width` and `height` are at least 1. What EDID cannot say is cut: more than 4095 pixels.
std::array<uint8_t, kEdidBytes> make_edid(uint32_t width, uint32_t height);

}  // namespace pvgpu::virtio_gpu
