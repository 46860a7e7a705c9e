// Resources of a context: memory that the guest and we both see, named by a guest-visible 32-bit id.
// A Resource stays alive while a ring or a reply stream uses it, whatever happens to its id.
// The table locks; a Resource is immutable after it was made.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>

#include "platform/shared_memory.h"

namespace pvgpu::venus {

struct Resource {
  uint32_t id = 0;
  uint64_t size = 0;  // bytes, as the guest asked
  // Plain shared memory (blob_id 0) only; blobs of VkDeviceMemory are not read or written by us.
  platform::SharedMemory memory;
  uint64_t memory_object = 0;  // else: the id of the VkDeviceMemory
  platform::UniqueFd foreign;  // or: what another context made, only to be imported

  // The bytes [offset, offset + length), or an empty span if they leave the resource or are not ours.
  std::span<std::byte> range(uint64_t offset, uint64_t length) const {
    if (!memory.valid() || offset > size || length > size - offset) return {};
    return {memory.data() + offset, static_cast<size_t>(length)};
  }
};

class ResourceTable {
 public:
  static constexpr size_t kMaxResources = 1 << 20;

  // False: the id is in use, or there are too many.
  bool add(std::shared_ptr<Resource> resource) {
    std::lock_guard lock(mutex_);
    if (resources_.size() >= kMaxResources) return false;
    changes_.fetch_add(1, std::memory_order_release);
    return resources_.try_emplace(resource->id, std::move(resource)).second;
  }
  void remove(uint32_t id) {
    std::shared_ptr<Resource> last;  // freed outside the lock
    std::lock_guard lock(mutex_);
    changes_.fetch_add(1, std::memory_order_release);
    if (auto it = resources_.find(id); it != resources_.end()) {
      last = std::move(it->second);
      resources_.erase(it);
    }
  }
  std::shared_ptr<Resource> find(uint32_t id) const {
    std::lock_guard lock(mutex_);
    auto it = resources_.find(id);
    return it == resources_.end() ? nullptr : it->second;
  }
  // While this stays the same, find() finds the same. acquire: pairs with the changes' release.
  uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::atomic<uint64_t> changes_{0};
  std::unordered_map<uint32_t, std::shared_ptr<Resource>> resources_;
};

}  // namespace pvgpu::venus
