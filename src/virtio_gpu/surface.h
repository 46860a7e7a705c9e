// A picture that a scanout can show: a 2D resource, or a blob of pixels. Part of Control; one thread (the device's).
//
// Memory for pixels is the host's, and a guest may have a limited amount of it (PixelBudget). All numbers come from the guest: they
// are checked where a surface is made, and rectangles by whoever passes them (fits).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "platform/shared_memory.h"
#include "virtio_gpu/display_sink.h"
#include "virtio_gpu/guest_memory.h"
#include "virtio_gpu/protocol.h"

namespace pvgpu::virtio_gpu {

inline constexpr uint32_t kMaxSide = 16384;  // pixels

// Whether `rect` is not empty and lies within width x height.
bool fits(const Rect& rect, uint32_t width, uint32_t height);
// What both have in common; empty (width 0) if nothing.
Rect intersection(const Rect& a, const Rect& b);

// Bytes that one guest's pixels may take on the host. Shared by what it has given bytes to.
struct PixelBudget {
  uint64_t left;
};

// Zeroed bytes out of a budget.
class PixelBuffer {
 public:
  // Empty if the budget or the system has not enough.
  static PixelBuffer create(const std::shared_ptr<PixelBudget>& budget, uint64_t bytes);
  PixelBuffer() = default;
  PixelBuffer(PixelBuffer&& other) noexcept;
  PixelBuffer& operator=(PixelBuffer&&) = delete;
  ~PixelBuffer();

  explicit operator bool() const { return data_ != nullptr; }
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::shared_ptr<PixelBudget> budget_;
  uint64_t bytes_ = 0;
};

// How the pixels of a blob lie in it.
struct BlobLayout {
  uint32_t width, height;
  PixelFormat format;
  uint32_t stride, offset;
  bool operator==(const BlobLayout&) const = default;
  // Whether all of them lie in `bytes` bytes.
  bool fits_in(uint64_t bytes) const;
};

class Surface {
 public:
  virtual ~Surface() = default;
  uint32_t width() const { return pixels_.width; }
  uint32_t height() const { return pixels_.height; }
  // What the guest has drawn, as far as it has told (2D resources) or update() was called since (blobs).
  const Pixels& pixels() const { return pixels_; }
  // The part of them that is `rect`.
  Pixels part(const Rect& rect) const;
  // Brings what is in `rect` up to date. False: it is not in the guest's memory.
  virtual bool update(const Rect& rect) = 0;

 protected:
  explicit Surface(const Pixels& pixels) : pixels_(pixels) {}
  Pixels pixels_;
};

// A 2D resource: pixels on the host, into which the guest's are copied when it says so.
class Surface2d : public Surface {
 public:
  // nullptr: there is no memory for it. Sides are at most kMaxSide and at least 1.
  static std::unique_ptr<Surface2d> create(uint32_t width, uint32_t height, PixelFormat format,
                                           const std::shared_ptr<PixelBudget>& budget);
  // Copies `rect` from the guest's pages, where its first pixel lies at `offset` and lines are as long as the resource's. The error says
  // what is wrong.
  std::expected<void, std::string> transfer(const Rect& rect, uint64_t offset, const GuestMemory& memory,
                                            const std::vector<MemEntry>& pages);
  bool update(const Rect&) override { return true; }

 private:
  Surface2d(PixelBuffer buffer, uint32_t width, uint32_t height, PixelFormat format);
  const PixelBuffer buffer_;
};

// Pixels in a blob of the host's memory, which is read where it lies.
class HostBlobSurface : public Surface {
 public:
  // `layout` fits in `blob_bytes`. nullptr: the file cannot be mapped.
  static std::unique_ptr<HostBlobSurface> create(const BlobLayout& layout, const platform::UniqueFd& file, uint64_t blob_bytes);
  bool update(const Rect&) override { return true; }

 private:
  HostBlobSurface(platform::SharedMemory mapping, const BlobLayout& layout);
  const platform::SharedMemory mapping_;
};

// Pixels in a blob of the guest's pages: copied to the host, since they lie anywhere.
class GuestBlobSurface : public Surface {
 public:
  // `pages` and `memory` outlive it. nullptr: there is no memory for the copy.
  static std::unique_ptr<GuestBlobSurface> create(const BlobLayout& layout, const GuestMemory& memory,
                                                  const std::vector<MemEntry>& pages, const std::shared_ptr<PixelBudget>& budget);
  bool update(const Rect& rect) override;

 private:
  GuestBlobSurface(PixelBuffer buffer, const BlobLayout& layout, const GuestMemory& memory, const std::vector<MemEntry>& pages);
  const PixelBuffer buffer_;
  const BlobLayout layout_;
  const GuestMemory& memory_;
  const std::vector<MemEntry>& pages_;
};

}  // namespace pvgpu::virtio_gpu
