// The guest's memory as a VMM tells it: regions that it has added, and what its callback finds beside them.
// One thread (the device's).
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "virtio_gpu/guest_memory.h"

namespace pvgpu::library {

class GuestRegions : public virtio_gpu::GuestMemory {
 public:
  static constexpr uint64_t kAlignment = 4096;
  // What follows `address` within this process, or nothing; asked for what no region holds.
  using Fallback = std::function<std::span<std::byte>(uint64_t address, uint64_t length)>;
  explicit GuestRegions(Fallback fallback) : fallback_(std::move(fallback)) {}

  virtio_gpu::GuestBytes find(uint64_t address, uint64_t length) const override;

  // False: it overlaps one that is there. `host` and `address + bytes - 1` are valid.
  bool add(uint64_t address, std::span<std::byte> host);
  bool has(uint64_t address) const { return regions_.contains(address); }
  // Whether the region that begins at `region` holds `address`.
  bool holds(uint64_t region, uint64_t address) const;
  void remove(uint64_t address) { regions_.erase(address); }

 private:
  std::map<uint64_t, std::span<std::byte>> regions_;
  Fallback fallback_;
};

}  // namespace pvgpu::library
