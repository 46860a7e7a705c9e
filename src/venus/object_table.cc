#include "venus/object_table.h"

#include "venus/device.h"

namespace pvgpu::venus {

ObjectTable::ObjectTable()
    : top_(static_cast<std::atomic<Mid*>*>(std::calloc(size_t{1} << kTopBits, sizeof(std::atomic<Mid*>)))) {
  if (!top_ || !(first_ = mid_for(0))) throw std::bad_alloc();
}

ObjectTable::~ObjectTable() = default;

std::expected<Object*, PoisonReason> ObjectTable::insert(uint64_t id, VkObjectType type, uint64_t handle,
                                                         Device* device, void* state) {
  if (id == 0 || id >= kIdLimit) return std::unexpected(PoisonReason::kBadObjectId);
  Page* page = acquire_page(id >> kPageBits);
  if (!page) return std::unexpected(PoisonReason::kLimitExceeded);
  Object* object = &page->slots[id & (kPageSize - 1)];
  uint64_t expected = 0;
  if (!object->id.compare_exchange_strong(expected, kBusy, std::memory_order_acquire)) {
    release_page(page);
    return std::unexpected(PoisonReason::kDuplicateObject);
  }
  object->handle = handle;
  object->type = type;
  object->owner = handle == 0 ? Object::kFailed : device ? device->number : 0;
  object->device = device;
  object->state = state;
  object->pool = object->next = object->previous = nullptr;
  // release: pairs with the acquire in find().
  object->id.store(id, std::memory_order_release);
  return object;
}

void ObjectTable::erase(Object* object) {
  // Before the slot is free for others. A command that says 0 does not mean it (Object::is_still).
  object->owner = Object::kFailed;
  const uint64_t id = object->id.exchange(0, std::memory_order_acq_rel);
  if (id == 0) return;
  release_page(mid_for(id >> kPageBits)->pages[(id >> kPageBits) & (kMidSize - 1)].load(std::memory_order_relaxed));
}

// A page counts its live slots; whoever holds one keeps the page where it is.
ObjectTable::Page* ObjectTable::acquire_page(uint64_t number) {
  const Mid* mid = top_[number >> kMidBits].load(std::memory_order_acquire);
  Page* page = mid ? mid->pages[number & (kMidSize - 1)].load(std::memory_order_acquire) : nullptr;
  if (page) {
    uint32_t live = page->live.load(std::memory_order_relaxed);
    while (live != kDead && !page->live.compare_exchange_weak(live, live + 1, std::memory_order_acq_rel)) {
    }
    if (live != kDead) {
      // The page may have been reused for other ids between the load and the count.
      if (page->number.load(std::memory_order_relaxed) == number) return page;
      release_page(page);
    }
  }
  return add_page(number);
}

ObjectTable::Page* ObjectTable::add_page(uint64_t number) {
  std::lock_guard lock(mutex_);
  Mid* mid = mid_for(number);
  if (!mid) return nullptr;
  std::atomic<Page*>& entry = mid->pages[number & (kMidSize - 1)];
  if (Page* page = entry.load(std::memory_order_relaxed)) {  // another thread was first; it cannot die under the lock
    page->live.fetch_add(1, std::memory_order_acq_rel);
    return page;
  }
  Page* page = nullptr;
  if (!free_pages_.empty()) {
    page = free_pages_.back();
    free_pages_.pop_back();
  } else {
    if (all_pages_.size() >= kMaxPages) return nullptr;
    all_pages_.push_back(std::make_unique<Page>());
    page = all_pages_.back().get();
  }
  page->number.store(number, std::memory_order_relaxed);
  page->live.store(1, std::memory_order_release);
  // release: pairs with the acquire in find().
  entry.store(page, std::memory_order_release);
  return page;
}

void ObjectTable::release_page(Page* page) {
  if (page->live.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::lock_guard lock(mutex_);
  uint32_t none = 0;
  if (!page->live.compare_exchange_strong(none, kDead, std::memory_order_acq_rel)) return;  // in use again
  const uint64_t number = page->number.load(std::memory_order_relaxed);
  mid_for(number)->pages[number & (kMidSize - 1)].store(nullptr, std::memory_order_release);
  free_pages_.push_back(page);
}

// Creates the middle level when it is missing; the caller then holds mutex_.
ObjectTable::Mid* ObjectTable::mid_for(uint64_t number) {
  std::atomic<Mid*>& entry = top_[number >> kMidBits];
  if (Mid* mid = entry.load(std::memory_order_acquire)) return mid;
  auto* mid = static_cast<Mid*>(std::calloc(1, sizeof(Mid)));
  if (!mid) return nullptr;
  mids_.emplace_back(mid);
  entry.store(mid, std::memory_order_release);
  return mid;
}

}  // namespace pvgpu::venus
