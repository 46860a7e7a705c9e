#include "virtio_gpu/surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "virtio_gpu/page_list.h"

namespace pvgpu::virtio_gpu {
namespace {

// Of a surface whose lines follow each other. Sides of at most kMaxSide: no overflow.
constexpr uint32_t stride_of(uint32_t width) { return width * kBytesPerPixel; }
uint64_t bytes_of_lines(uint32_t width, uint32_t height) { return uint64_t{stride_of(width)} * height; }
// From the first pixel of `rect` to behind its last.
uint64_t bytes_of_rect(const Rect& rect, uint32_t stride) {
  return uint64_t{stride} * (rect.height - 1) + uint64_t{rect.width} * kBytesPerPixel;
}

}  // namespace

bool fits(const Rect& rect, uint32_t width, uint32_t height) {
  return rect.width > 0 && rect.height > 0 && rect.x <= width && rect.width <= width - rect.x && rect.y <= height &&
         rect.height <= height - rect.y;
}

Rect intersection(const Rect& a, const Rect& b) {
  const uint64_t right = std::min(uint64_t{a.x} + a.width, uint64_t{b.x} + b.width);
  const uint64_t bottom = std::min(uint64_t{a.y} + a.height, uint64_t{b.y} + b.height);
  const uint32_t x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  if (right <= x || bottom <= y) return {};
  return {x, y, static_cast<uint32_t>(right - x), static_cast<uint32_t>(bottom - y)};
}

PixelBuffer PixelBuffer::create(const std::shared_ptr<PixelBudget>& budget, uint64_t bytes) {
  PixelBuffer buffer;
  if (bytes > budget->left) return buffer;
  // Pages that nobody has drawn to take no memory.
  buffer.data_.reset(static_cast<std::byte*>(std::calloc(1, bytes)));
  if (!buffer.data_) return buffer;
  budget->left -= bytes;
  buffer.budget_ = budget;
  buffer.bytes_ = bytes;
  return buffer;
}

PixelBuffer::PixelBuffer(PixelBuffer&& other) noexcept
    : data_(std::move(other.data_)), budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}

PixelBuffer::~PixelBuffer() {
  if (budget_) budget_->left += bytes_;
}

bool BlobLayout::fits_in(uint64_t bytes) const {
  if (width == 0 || height == 0 || width > kMaxSide || height > kMaxSide || stride < stride_of(width)) return false;
  return offset <= bytes && bytes_of_rect({0, 0, width, height}, stride) <= bytes - offset;
}

Pixels Surface::part(const Rect& rect) const {
  Pixels part = pixels_;
  const uint64_t skipped = uint64_t{pixels_.stride} * rect.y + uint64_t{kBytesPerPixel} * rect.x;
  part.first += skipped;
  part.width = rect.width;
  part.height = rect.height;
  part.fd_offset += skipped;
  return part;
}

Surface2d::Surface2d(PixelBuffer buffer, uint32_t width, uint32_t height, PixelFormat format)
    : Surface({.first = buffer.data(), .width = width, .height = height, .stride = stride_of(width), .format = format}),
      buffer_(std::move(buffer)) {}

std::unique_ptr<Surface2d> Surface2d::create(uint32_t width, uint32_t height, PixelFormat format,
                                             const std::shared_ptr<PixelBudget>& budget) {
  PixelBuffer buffer = PixelBuffer::create(budget, bytes_of_lines(width, height));
  if (!buffer) return nullptr;
  return std::unique_ptr<Surface2d>(new Surface2d(std::move(buffer), width, height, format));
}

std::expected<void, std::string> Surface2d::transfer(const Rect& rect, uint64_t offset, const GuestMemory& memory,
                                                     const std::vector<MemEntry>& pages) {
  if (!fits(rect, width(), height()))
    return std::unexpected(fmt::format("{}x{} at {},{} of {}x{} pixels", rect.width, rect.height, rect.x, rect.y, width(), height()));
  const uint32_t stride = pixels().stride;
  const uint64_t there = virtio_gpu::bytes_of(pages), wanted = bytes_of_rect(rect, stride);
  if (offset > there || wanted > there - offset)
    return std::unexpected(fmt::format("{} bytes at {} of {} bytes of pages", wanted, offset, there));
  PageReader reader(memory, pages);
  std::byte* to = buffer_.data() + uint64_t{stride} * rect.y + uint64_t{kBytesPerPixel} * rect.x;
  // Lines that are whole follow each other here and there.
  const bool whole = rect.width == width();
  const size_t count = whole ? static_cast<size_t>(wanted) : size_t{rect.width} * kBytesPerPixel;
  for (uint32_t line = 0; line < (whole ? 1 : rect.height); line++, to += stride, offset += stride)
    if (!reader.read(offset, {to, count})) return std::unexpected(std::string("pages that are not in the guest's memory"));
  return {};
}

HostBlobSurface::HostBlobSurface(platform::SharedMemory mapping, const BlobLayout& layout)
    : Surface({.first = mapping.data() + layout.offset, .width = layout.width, .height = layout.height, .stride = layout.stride,
               .format = layout.format, .fd = mapping.fd().get(), .fd_offset = layout.offset}),
      mapping_(std::move(mapping)) {}

std::unique_ptr<HostBlobSurface> HostBlobSurface::create(const BlobLayout& layout, const platform::UniqueFd& file, uint64_t blob_bytes) {
  auto mapping = platform::SharedMemory::open(file.duplicate(), static_cast<size_t>(blob_bytes));
  if (!mapping) return nullptr;
  return std::unique_ptr<HostBlobSurface>(new HostBlobSurface(std::move(*mapping), layout));
}

GuestBlobSurface::GuestBlobSurface(PixelBuffer buffer, const BlobLayout& layout, const GuestMemory& memory,
                                   const std::vector<MemEntry>& pages)
    : Surface({.first = buffer.data(), .width = layout.width, .height = layout.height, .stride = stride_of(layout.width),
               .format = layout.format}),
      buffer_(std::move(buffer)),
      layout_(layout),
      memory_(memory),
      pages_(pages) {}

std::unique_ptr<GuestBlobSurface> GuestBlobSurface::create(const BlobLayout& layout, const GuestMemory& memory,
                                                           const std::vector<MemEntry>& pages,
                                                           const std::shared_ptr<PixelBudget>& budget) {
  PixelBuffer buffer = PixelBuffer::create(budget, bytes_of_lines(layout.width, layout.height));
  if (!buffer) return nullptr;
  return std::unique_ptr<GuestBlobSurface>(new GuestBlobSurface(std::move(buffer), layout, memory, pages));
}

bool GuestBlobSurface::update(const Rect& rect) {
  PageReader reader(memory_, pages_);
  for (uint32_t y = rect.y; y - rect.y < rect.height; y++) {
    const uint64_t from = layout_.offset + uint64_t{layout_.stride} * y + uint64_t{kBytesPerPixel} * rect.x;
    std::byte* const to = buffer_.data() + uint64_t{pixels().stride} * y + uint64_t{kBytesPerPixel} * rect.x;
    if (!reader.read(from, {to, size_t{rect.width} * kBytesPerPixel})) return false;
  }
  return true;
}

}  // namespace pvgpu::virtio_gpu
