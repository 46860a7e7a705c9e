// A context's objects by the ids that its guest chose. Mesa counts ids up from one counter, so the
// table is a paged array: two loads reach a page, the slot is checked against the full id. Look-ups
// take no lock and may run on any thread at any time; insert and erase may too, except that the guest
// must not use an id while it destroys it (Vulkan's own rule). A guest that breaks the rule gets some
// other object of its own or none, never memory outside the table: pages are only ever reused as pages.
// Source: Venus protocol reference, section 6.
#pragma once

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <expected>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "venus/poison.h"

namespace pvgpu::venus {

struct Device;

struct Object {
  // The owner of what the driver failed to create, and of a slot that holds nothing.
  static constexpr uint32_t kFailed = ~0u;

  std::atomic<uint64_t> id{0};  // 0: free; released last on insert, cleared first on erase
  uint64_t handle = 0;          // the driver's; 0: the driver failed to create it
  VkObjectType type{};
  uint32_t owner = kFailed;   // the number of `device`, which count from 1; 0: none; or kFailed
  Device* device = nullptr;   // nullptr for instances and physical devices
  void* state = nullptr;      // what the type needs beyond its handle, owned elsewhere
  Object* pool = nullptr;     // for pooled objects: the pool, whose `state` holds the list
  Object* next = nullptr;     // siblings in the pool
  Object* previous = nullptr;

  // Whether it is of that type and belongs to that owner, in one comparison.
  bool is(VkObjectType want, uint32_t of) const {
    uint64_t both;
    std::memcpy(&both, reinterpret_cast<const std::byte*>(this) + offsetof(Object, type), sizeof both);
    return both == (uint64_t{of} << 32 | static_cast<uint32_t>(want));
  }
  // Whether its slot still holds the object that was found there by that id: the slot of one that is gone has another, or 0.
  bool is_still(uint64_t want, VkObjectType of_type) const {
    // acquire: pairs with the release in ObjectTable::insert(), so that the object's fields are seen.
    return id.load(std::memory_order_acquire) == want && type == of_type && owner != kFailed;
  }
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(offsetof(Object, owner) == offsetof(Object, type) + 4 && std::endian::native == std::endian::little);
static_assert(sizeof(Object) == 64);

class ObjectTable {
 public:
  static constexpr uint32_t kPageBits = 9;
  static constexpr uint32_t kMidBits = 16;
  static constexpr uint32_t kTopBits = 15;
  static constexpr uint64_t kIdLimit = uint64_t{1} << (kPageBits + kMidBits + kTopBits);
  static constexpr uint32_t kMaxPages = 1u << 16;  // 33 million live objects, or 2 GiB of table

  ObjectTable();
  ~ObjectTable();
  ObjectTable(const ObjectTable&) = delete;
  ObjectTable& operator=(const ObjectTable&) = delete;

  // nullptr: no such object.
  Object* find(uint64_t id) const {
    const Mid* mid = first_;  // ids of guests seldom get further
    if (id - 1 >= kPageSize * kMidSize - 1) [[unlikely]] {
      if (id == 0 || id >= kIdLimit) return nullptr;
      mid = top_[id >> (kPageBits + kMidBits)].load(std::memory_order_acquire);
      if (!mid) return nullptr;
    }
    // acquire: pairs with the release in add_page(), so that the page's slots are seen initialized.
    Page* page = mid->pages[(id >> kPageBits) & (kMidSize - 1)].load(std::memory_order_acquire);
    if (!page) [[unlikely]] return nullptr;
    Object* object = &page->slots[id & (kPageSize - 1)];
    // acquire: pairs with the release in insert(), so that the object's fields are seen.
    return object->id.load(std::memory_order_acquire) == id ? object : nullptr;
  }

  // Errors: bad or duplicate id, too many objects.
  std::expected<Object*, PoisonReason> insert(uint64_t id, VkObjectType type, uint64_t handle, Device* device,
                                              void* state = nullptr);
  void erase(Object* object);

  // Calls `visit(Object&)` for every object; it must not insert or erase. What other threads insert or
  // erase meanwhile is visited or not.
  template <class Visit>
  void for_each(Visit visit) {
    std::lock_guard lock(mutex_);
    for (const auto& page : all_pages_) {
      for (Object& object : page->slots) {
        // acquire: pairs with the release in insert().
        const uint64_t id = object.id.load(std::memory_order_acquire);
        if (id != 0 && id != kBusy) visit(object);
      }
    }
  }
  size_t page_count() const { return all_pages_.size(); }

 private:
  static constexpr uint64_t kPageSize = uint64_t{1} << kPageBits;
  static constexpr uint64_t kMidSize = uint64_t{1} << kMidBits;
  static constexpr uint64_t kBusy = ~uint64_t{0};  // an id no object can have: a slot being filled
  static constexpr uint32_t kDead = ~0u;           // `live` of a page that is on the free list

  struct Page {
    std::atomic<uint64_t> number{0};  // id >> kPageBits
    std::atomic<uint32_t> live{kDead};
    Object slots[kPageSize];
  };
  struct Mid {
    std::atomic<Page*> pages[kMidSize];
  };
  struct FreeDeleter {
    void operator()(void* memory) const { std::free(memory); }
  };

  Page* acquire_page(uint64_t number);
  Page* add_page(uint64_t number);
  void release_page(Page* page);
  Mid* mid_for(uint64_t number);

  // calloc'ed, so that the system backs only what is touched.
  std::unique_ptr<std::atomic<Mid*>[], FreeDeleter> top_;
  const Mid* first_ = nullptr;  // of top_, always there
  std::mutex mutex_;  // guards what follows and every change of a page pointer
  std::vector<std::unique_ptr<Mid, FreeDeleter>> mids_;
  std::vector<std::unique_ptr<Page>> all_pages_;
  std::vector<Page*> free_pages_;
};

}  // namespace pvgpu::venus
