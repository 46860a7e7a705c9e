// The guest's memory as the front-end describes it: regions of files, mapped here, found by guest-physical address or by
// the front-end's own. Regions that are the window's (blobs that we gave ourselves) are known but not mapped. What was
// found stays valid as long as its keeper, whatever happens to the region. One thread.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "frontends/vhost_user/messages.h"
#include "platform/fd.h"
#include "virtio_gpu/guest_memory.h"

namespace pvgpu::frontends::vhost_user {

class MemoryTable : public virtio_gpu::GuestMemory {
 public:
  static constexpr size_t kMaxRegions = 509;  // what QEMU's own limit leaves

  // `is_window` tells the window's files from the guest's.
  explicit MemoryTable(std::function<bool(int fd)> is_window) : is_window_(std::move(is_window)) {}

  using Described = std::pair<MemoryRegion, platform::UniqueFd>;
  std::expected<void, std::string> add(const MemoryRegion& region, platform::UniqueFd fd);
  void remove(const MemoryRegion& region);
  // The whole table anew. Regions that stay keep their mappings.
  std::expected<void, std::string> replace(std::vector<Described> regions);

  virtio_gpu::GuestBytes find(uint64_t address, uint64_t length) const override;
  virtio_gpu::GuestBytes find_user(uint64_t user_address, uint64_t length) const;

  size_t regions() const { return entries_.size(); }

 private:
  struct Mapping;
  struct Entry {
    MemoryRegion region;
    std::shared_ptr<const Mapping> mapping;  // null: the window's
  };
  std::expected<Entry, std::string> make(const MemoryRegion& region, platform::UniqueFd fd) const;
  static virtio_gpu::GuestBytes part(const Entry& entry, uint64_t offset, uint64_t length);

  std::function<bool(int)> is_window_;
  std::vector<Entry> entries_;
};

}  // namespace pvgpu::frontends::vhost_user
