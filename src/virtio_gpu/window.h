// Which parts of the window are taken. The driver chooses the places, so each is checked. One thread.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace pvgpu::virtio_gpu {

class Window {
 public:
  explicit Window(uint64_t size) : size_(size) {}

  // False: nothing, outside the window, or (in part) taken.
  bool take(uint64_t offset, uint64_t length) {
    if (length == 0 || offset > size_ || length > size_ - offset) return false;
    const auto next = ranges_.lower_bound(offset);
    if (next != ranges_.end() && next->first - offset < length) return false;
    if (next != ranges_.begin()) {
      const auto previous = std::prev(next);
      if (offset - previous->first < previous->second) return false;
    }
    ranges_.emplace(offset, length);
    return true;
  }
  void release(uint64_t offset) { ranges_.erase(offset); }
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }

 private:
  const uint64_t size_;
  std::map<uint64_t, uint64_t> ranges_;  // offset → length
};

}  // namespace pvgpu::virtio_gpu
