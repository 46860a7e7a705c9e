#include "virtio_gpu/page_list.h"

#include <algorithm>

namespace pvgpu::virtio_gpu {

uint64_t bytes_of(const std::vector<MemEntry>& pages) {
  uint64_t bytes = 0;
  for (const MemEntry& entry : pages) bytes += entry.length;
  return bytes;
}

bool PageReader::read(uint64_t offset, std::span<std::byte> out) {
  if (offset < entry_offset_) entry_ = entry_offset_ = 0;
  while (!out.empty()) {
    if (entry_ >= pages_.size()) return false;
    const MemEntry& entry = pages_[entry_];
    const uint64_t within = offset - entry_offset_;
    if (within >= entry.length) {
      entry_offset_ += entry.length;
      entry_++;
      continue;
    }
    if (within > UINT64_MAX - entry.addr) return false;
    const auto count = static_cast<size_t>(std::min<uint64_t>(out.size(), entry.length - within));
    if (!copy_from_guest(memory_, entry.addr + within, out.first(count))) return false;
    offset += count;
    out = out.subspan(count);
  }
  return true;
}

}  // namespace pvgpu::virtio_gpu
