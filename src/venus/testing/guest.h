// The guest's side of a context, in the same process: shared memory as a guest maps it, rings that
// it fills as Mesa does, commands written by the Encoder and replies read by the Decoder.
//
// Waiting here has a deadline: past it the test fails and says for what it waited.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "host/host.h"
#include "platform/fd.h"
#include "venus/context.h"
#include "venus/testing/decoded.h"

namespace pvgpu::venus::testing {

// Long enough for sanitizers on a loaded machine; nothing waits so long when all is well.
inline constexpr auto kDeadline = std::chrono::seconds(60);

template <class Condition>
bool wait_until(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// A resource as the guest sees it.
class Blob {
 public:
  Blob(uint32_t id, platform::UniqueFd fd, size_t size);
  ~Blob();
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  uint32_t id() const { return id_; }
  size_t size() const { return size_; }
  std::byte* data() const { return data_; }
  std::atomic_ref<uint32_t> word(size_t offset) const {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(data_ + offset));
  }

 private:
  uint32_t id_;
  size_t size_;
  std::byte* data_ = nullptr;
};

class Guest {
 public:
  explicit Guest(host::Host& host, Context::Options options = {.name = "guest"});

  Context& context() { return *context_; }
  // Ends the context before the guest goes.
  void close() { context_.reset(); }

  // -- transport; one caller at a time, as on a socket --
  std::expected<void, Poison> submit(std::span<const std::byte> bytes);
  template <class Args>
    requires requires { Args::kCommand; }
  std::expected<void, Poison> submit(const Args& args, uint32_t flags = 0) {
    return submit(std::span<const std::byte>(request_bytes(args, flags)));
  }
  // Shared memory; with `memory_id`, the bytes of that VkDeviceMemory. nullptr after a test
  // failure.
  std::unique_ptr<Blob> create_blob(size_t size, uint64_t memory_id = 0);
  uint32_t next_resource_id() { return ++resource_id_; }

  // Why the context was stopped, once it is; fails the test if that does not happen.
  Poison wait_for_poison();

 private:
  std::unique_ptr<Context> context_;
  std::mutex transport_;
  uint32_t resource_id_ = 0;
};

struct RingOptions {
  uint32_t buffer_size = 128 << 10;
  uint64_t idle_timeout_ns = 1'000'000;
  uint32_t monitor_period_us = 0;  // 0: not monitored
};
VkRingCreateInfoMESA ring_info(uint32_t resource_id, const RingOptions& options);

// One ring and the memory for its replies. For one thread.
class GuestRing {
 public:
  static constexpr uint32_t kIdle = 1, kFatal = 2, kAlive = 4;

  // Creates it on the host as well. `blob`: memory to use again.
  GuestRing(Guest& guest, uint64_t id, const RingOptions& options = {},
            std::shared_ptr<Blob> blob = nullptr);

  uint64_t id() const { return id_; }
  Guest& guest() { return guest_; }
  const std::shared_ptr<Blob>& blob() const { return blob_; }
  uint32_t head() const { return blob_->word(0).load(std::memory_order_acquire); }
  uint32_t tail() const { return tail_; }
  uint32_t status() const { return blob_->word(128).load(std::memory_order_seq_cst); }
  void clear_status(uint32_t bits) { blob_->word(128).fetch_and(~bits, std::memory_order_seq_cst); }

  // Appends bytes as one submission and wakes the host as Mesa does. Returns the seqno.
  uint32_t write(std::span<const std::byte> bytes);
  // True once head has reached the seqno; false: the ring is fatal (or, after a failure, the
  // deadline).
  bool wait(uint32_t seqno);

  template <class Args>
  uint32_t send(const Args& args) {
    return write(request_bytes(args));
  }
  template <class Args>
  bool run(const Args& args) {
    return wait(send(args));
  }
  // Asks for a reply, in a slot of exactly the size that a guest would compute. `failed` if none
  // came.
  template <class Args>
  Decoded<Args> call(const Args& args) {
    const size_t size = reply_bytes(args).size();
    const VkCommandStreamDescriptionMESA slot = reply_slot(size);
    Bytes bytes = request_bytes(protocol::SetReplyCommandStreamMESAArgs{&slot});
    append(bytes, request_bytes(args, 1));
    if (!wait(write(bytes))) {
      Decoded<Args> none;
      none.failed = true;
      return none;
    }
    const std::byte* at = replies_->data() + slot.offset;
    return decode_reply(args, Bytes(at, at + size));
  }
  VkCommandStreamDescriptionMESA reply_slot(size_t size);
  Blob& replies() { return *replies_; }

 private:
  Guest& guest_;
  const uint64_t id_;
  const uint32_t buffer_size_;
  std::shared_ptr<Blob> blob_;
  std::unique_ptr<Blob> replies_;
  size_t reply_offset_ = 0;
  uint32_t tail_ = 0;
  std::chrono::steady_clock::time_point notified_{};
};

}  // namespace pvgpu::venus::testing
