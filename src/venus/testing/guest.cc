#include "venus/testing/guest.h"

#include <sys/mman.h>

#include <cstring>

namespace pvgpu::venus::testing {

Blob::Blob(uint32_t id, platform::UniqueFd fd, size_t size) : id_(id), size_(size) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) {
    ADD_FAILURE() << "resource " << id << " cannot be mapped";
  } else {
    data_ = static_cast<std::byte*>(data);
  }
}

Blob::~Blob() {
  if (data_) ::munmap(data_, size_);
}

Guest::Guest(host::Host& host, Context::Options options) : context_(Context::create(host, std::move(options))) {}

std::expected<void, Poison> Guest::submit(std::span<const std::byte> bytes) {
  std::lock_guard lock(transport_);
  return context_->submit(bytes);
}

std::unique_ptr<Blob> Guest::create_blob(size_t size, uint64_t memory_id) {
  std::lock_guard lock(transport_);
  const uint32_t id = ++resource_id_;
  auto memory = context_->create_blob(id, {.flags = kBlobMappable, .blob_id = memory_id, .size = size});
  if (!memory) {
    ADD_FAILURE() << "no blob: " << memory.error().detail;
    return nullptr;
  }
  return std::make_unique<Blob>(id, std::move(memory->fd), size);
}

Poison Guest::wait_for_poison() {
  if (!wait_until([&] { return context_->poisoned().has_value(); })) {
    ADD_FAILURE() << "the context was not poisoned";
    return {PoisonReason::kHostFailure, "not poisoned"};
  }
  return *context_->poisoned();
}

VkRingCreateInfoMESA ring_info(uint32_t resource_id, const RingOptions& options) {
  VkRingCreateInfoMESA info{VK_STRUCTURE_TYPE_RING_CREATE_INFO_MESA, nullptr};
  info.resourceId = resource_id;
  info.size = 192 + options.buffer_size + 4;
  info.idleTimeout = options.idle_timeout_ns;
  info.headOffset = 0;
  info.tailOffset = 64;
  info.statusOffset = 128;
  info.bufferOffset = 192;
  info.bufferSize = options.buffer_size;
  info.extraOffset = 192 + options.buffer_size;
  info.extraSize = 4;
  return info;
}

GuestRing::GuestRing(Guest& guest, uint64_t id, const RingOptions& options,
                     std::shared_ptr<Blob> blob)
    : guest_(guest), id_(id), buffer_size_(options.buffer_size), blob_(std::move(blob)) {
  if (!blob_) blob_ = guest.create_blob(192 + options.buffer_size + 4);
  std::memset(blob_->data(), 0, blob_->size());
  replies_ = guest.create_blob(1 << 20);
  VkRingCreateInfoMESA info = ring_info(blob_->id(), options);
  const VkRingMonitorInfoMESA monitor{VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA, nullptr,
                                      options.monitor_period_us};
  if (options.monitor_period_us) info.pNext = &monitor;
  const auto created = guest.submit(protocol::CreateRingMESAArgs{id, &info});
  EXPECT_TRUE(created) << created.error().detail;
}

uint32_t GuestRing::write(std::span<const std::byte> bytes) {
  EXPECT_LE(bytes.size(), buffer_size_);
  const bool room = wait_until(
      [&] { return tail_ - head() + bytes.size() <= buffer_size_ || (status() & kFatal); });
  EXPECT_TRUE(room) << "the ring stays full";
  if (status() & kFatal) return tail_;
  for (size_t i = 0; i < bytes.size(); ++i)
    blob_->data()[192 + ((tail_ + i) & (buffer_size_ - 1))] = bytes[i];
  tail_ += static_cast<uint32_t>(bytes.size());
  blob_->word(64).store(tail_, std::memory_order_seq_cst);
  // Mesa's rule: wake a ring that says it is idle, but not twice within a millisecond.
  if (status() & kIdle) {
    const auto now = std::chrono::steady_clock::now();
    if (now - notified_ >= std::chrono::milliseconds(1)) {
      notified_ = now;
      (void)guest_.submit(protocol::NotifyRingMESAArgs{id_, tail_, 0});
    }
  }
  return tail_;
}

bool GuestRing::wait(uint32_t seqno) {
  const auto reached = [&] { return static_cast<int32_t>(head() - seqno) >= 0; };
  const bool came = wait_until([&] { return reached() || (status() & kFatal); });
  EXPECT_TRUE(came) << "ring " << id_ << " stays at " << head() << " before " << seqno;
  return reached();
}

VkCommandStreamDescriptionMESA GuestRing::reply_slot(size_t size) {
  if (reply_offset_ + size > replies_->size()) reply_offset_ = 0;
  const VkCommandStreamDescriptionMESA slot{replies_->id(), reply_offset_, size};
  reply_offset_ += (size + 63) & ~size_t{63};
  return slot;
}

}  // namespace pvgpu::venus::testing
