#include "virtio_gpu/pixel_format.h"

#include <utility>

namespace pvgpu::virtio_gpu {

std::optional<PixelFormat> pixel_format(uint32_t number) {
  switch (const auto format = static_cast<PixelFormat>(number)) {
    case PixelFormat::kB8G8R8A8:
    case PixelFormat::kB8G8R8X8:
    case PixelFormat::kA8R8G8B8:
    case PixelFormat::kX8R8G8B8:
    case PixelFormat::kR8G8B8A8:
    case PixelFormat::kX8B8G8R8:
    case PixelFormat::kA8B8G8R8:
    case PixelFormat::kR8G8B8X8:
      return format;
  }
  return std::nullopt;
}

Channels channels_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::kB8G8R8A8: return {.red = 2, .green = 1, .blue = 0, .alpha = 3, .has_alpha = true};
    case PixelFormat::kB8G8R8X8: return {.red = 2, .green = 1, .blue = 0, .alpha = 3, .has_alpha = false};
    case PixelFormat::kA8R8G8B8: return {.red = 1, .green = 2, .blue = 3, .alpha = 0, .has_alpha = true};
    case PixelFormat::kX8R8G8B8: return {.red = 1, .green = 2, .blue = 3, .alpha = 0, .has_alpha = false};
    case PixelFormat::kR8G8B8A8: return {.red = 0, .green = 1, .blue = 2, .alpha = 3, .has_alpha = true};
    case PixelFormat::kX8B8G8R8: return {.red = 3, .green = 2, .blue = 1, .alpha = 0, .has_alpha = false};
    case PixelFormat::kA8B8G8R8: return {.red = 3, .green = 2, .blue = 1, .alpha = 0, .has_alpha = true};
    case PixelFormat::kR8G8B8X8: return {.red = 0, .green = 1, .blue = 2, .alpha = 3, .has_alpha = false};
  }
  std::unreachable();
}

void to_rgba(PixelFormat format, std::span<const std::byte> in, std::span<std::byte> out) {
  const Channels channels = channels_of(format);
  for (size_t at = 0; at + kBytesPerPixel <= in.size(); at += kBytesPerPixel) {
    const std::byte* const pixel = in.data() + at;
    out[at] = pixel[channels.red];
    out[at + 1] = pixel[channels.green];
    out[at + 2] = pixel[channels.blue];
    out[at + 3] = channels.has_alpha ? pixel[channels.alpha] : std::byte{0xff};
  }
}

}  // namespace pvgpu::virtio_gpu
