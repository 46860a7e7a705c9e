// The pixel formats of virtio-gpu: four bytes each, named by the order of their bytes in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pvgpu::virtio_gpu {

enum class PixelFormat : uint32_t {
  kB8G8R8A8 = 1,
  kB8G8R8X8 = 2,
  kA8R8G8B8 = 3,
  kX8R8G8B8 = 4,
  kR8G8B8A8 = 67,
  kX8B8G8R8 = 68,
  kA8B8G8R8 = 121,
  kR8G8B8X8 = 134,
};
inline constexpr uint32_t kBytesPerPixel = 4;

// The format with the specification's number `number`.
std::optional<PixelFormat> pixel_format(uint32_t number);

// Which byte of a pixel is what. `alpha` is that of the byte without a meaning in formats without alpha.
struct Channels {
  uint8_t red, green, blue, alpha;
  bool has_alpha;
};
Channels channels_of(PixelFormat format);

// Whole pixels of `in` as red, green, blue, alpha: 255 where the format has none. `out` is as long as `in`.
void to_rgba(PixelFormat format, std::span<const std::byte> in, std::span<std::byte> out);

}  // namespace pvgpu::virtio_gpu
