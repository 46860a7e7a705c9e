#include "library/guest_regions.h"

#include <algorithm>
#include <iterator>

namespace pvgpu::library {

virtio_gpu::GuestBytes GuestRegions::find(uint64_t address, uint64_t length) const {
  const auto next = regions_.upper_bound(address);
  if (next != regions_.begin()) {
    const auto& [start, host] = *std::prev(next);
    const uint64_t offset = address - start;
    if (offset < host.size())
      return {host.subspan(static_cast<size_t>(offset),
                           static_cast<size_t>(std::min<uint64_t>(length, host.size() - offset))),
              nullptr};
  }
  if (!fallback_) return {};
  // Regions win, also over what begins before them.
  if (next != regions_.end()) length = std::min(length, next->first - address);
  return {fallback_(address, length), nullptr};
}

bool GuestRegions::add(uint64_t address, std::span<std::byte> host) {
  const uint64_t last = address + (host.size() - 1);
  const auto next = regions_.upper_bound(last);
  // The last region that begins at or before our end.
  if (next != regions_.begin()) {
    const auto& [start, before] = *std::prev(next);
    if (start >= address || address - start < before.size()) return false;
  }
  regions_.emplace(address, host);
  return true;
}

bool GuestRegions::holds(uint64_t region, uint64_t address) const {
  const auto found = regions_.find(region);
  return found != regions_.end() && address >= region && address - region < found->second.size();
}

}  // namespace pvgpu::library
