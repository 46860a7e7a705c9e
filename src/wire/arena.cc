#include "wire/arena.h"

#include <algorithm>
#include <new>

namespace pvgpu::wire {
namespace {
constexpr size_t kFirstBlock = size_t{16} << 10;
// One block up to this size is kept by reset(): enough for ordinary commands, no hoard after a huge one.
constexpr size_t kKeptBlock = size_t{4} << 20;
}  // namespace

void* Arena::allocate_slow(size_t bytes) {
  if (bytes > limit_ || total_ > limit_ - bytes) return nullptr;
  const size_t doubled = blocks_.empty() ? kFirstBlock : std::min(blocks_.back().size * 2, kKeptBlock);
  const size_t size = std::max(bytes, doubled);
  std::unique_ptr<std::byte[]> data(new (std::nothrow) std::byte[size]);
  if (!data) return nullptr;
  at_ = data.get();
  end_ = at_ + size;
  total_ += size;
  blocks_.push_back({std::move(data), size});
  if (blocks_.size() == 1) begin_ = at_;
  spilled_ = blocks_.size() > 1 || size > kKeptBlock;
  void* result = at_;
  at_ += bytes;
  return result;
}

void Arena::reset_slow() {
  auto keep = blocks_.begin();
  for (auto it = blocks_.begin(); it != blocks_.end(); ++it)
    if (it->size <= kKeptBlock && (keep->size > kKeptBlock || it->size > keep->size)) keep = it;
  Block kept = std::move(*keep);
  blocks_.clear();
  begin_ = at_ = end_ = nullptr;
  spilled_ = false;
  total_ = 0;
  if (kept.size > kKeptBlock) return;
  begin_ = at_ = kept.data.get();
  end_ = at_ + kept.size;
  total_ = kept.size;
  blocks_.push_back(std::move(kept));
}

}  // namespace pvgpu::wire
