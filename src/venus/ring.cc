#include "venus/ring.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "host/pnext.h"
#include "observe/latency.h"
#include "observe/log.h"
#include "observe/recording.h"
#include "platform/thread.h"
#include "venus/context_impl.h"
#include "venus/ring_wait.h"

namespace pvgpu::venus {
namespace {

using Clock = std::chrono::steady_clock;

// VkRingStatusFlagBitsMESA.
constexpr uint32_t kStatusIdle = 1;
constexpr uint32_t kStatusFatal = 2;
constexpr uint32_t kStatusAlive = 4;

constexpr size_t kMaxBufferSize = size_t{16} << 20;

struct Region {
  const char* name;
  size_t offset, size;
};

// The four words and regions must lie inside the ring, aligned, and not overlap.
std::optional<std::string> check_layout(const VkRingCreateInfoMESA& info) {
  if (info.bufferSize < 4 || info.bufferSize > kMaxBufferSize || !std::has_single_bit(info.bufferSize))
    return fmt::format("bufferSize {} is not a power of two up to {}", info.bufferSize, kMaxBufferSize);
  const Region regions[] = {{"head", info.headOffset, 4},
                            {"tail", info.tailOffset, 4},
                            {"status", info.statusOffset, 4},
                            {"buffer", info.bufferOffset, info.bufferSize},
                            {"extra", info.extraOffset, info.extraSize}};
  for (const Region& a : regions) {
    if (a.size == 0) continue;
    if (a.offset % 4 != 0) return fmt::format("{} at {} is not aligned to 4", a.name, a.offset);
    if (a.offset > info.size || a.size > info.size - a.offset)
      return fmt::format("{} at {} + {} leaves the ring of {} bytes", a.name, a.offset, a.size, info.size);
    for (const Region& b : regions)
      if (&a < &b && b.size != 0 && a.offset < b.offset + b.size && b.offset < a.offset + a.size)
        return fmt::format("{} and {} overlap", a.name, b.name);
  }
  return std::nullopt;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

}  // namespace

std::expected<std::unique_ptr<Ring>, Poison> Ring::create(ContextImpl& context, uint64_t id,
                                                          std::shared_ptr<Resource> resource,
                                                          const VkRingCreateInfoMESA& info) {
  if (info.offset % 4 != 0 || info.size == 0 || resource->range(info.offset, info.size).empty())
    return std::unexpected(Poison{PoisonReason::kBadRange,
                                  fmt::format("ring of {} bytes at {} in resource {} of {} bytes", info.size,
                                              info.offset, resource->id, resource->size)});
  if (auto wrong = check_layout(info)) return std::unexpected(Poison{PoisonReason::kBadRing, *wrong});
  std::unique_ptr<Ring> ring(new Ring(context, id, std::move(resource), info));
  if (!context.rings_by_hand()) ring->thread_ = std::thread([r = ring.get()] { r->run(); });
  return ring;
}

Ring::Ring(ContextImpl& context, uint64_t id, std::shared_ptr<Resource> resource, const VkRingCreateInfoMESA& info)
    : context_(context),
      id_(id),
      resource_(std::move(resource)),
      base_(resource_->memory.data() + info.offset),
      head_offset_(info.headOffset),
      tail_offset_(info.tailOffset),
      status_offset_(info.statusOffset),
      buffer_offset_(info.bufferOffset),
      extra_offset_(info.extraOffset),
      extra_size_(info.extraSize),
      buffer_size_(static_cast<uint32_t>(info.bufferSize)),
      idle_timeout_ns_(std::min<uint64_t>(info.idleTimeout, 1'000'000'000)),
      processors_(platform::usable_processors()),
      stream_(context, this),
      copy_(info.bufferSize),
      parking_(context.options().arrivals) {
  if (const auto* monitor =
          host::find_struct<VkRingMonitorInfoMESA>(info.pNext, VK_STRUCTURE_TYPE_RING_MONITOR_INFO_MESA))
    reporting_period_us_ = monitor->maxReportingPeriodMicroseconds;
  if (const auto* priority =
          host::find_struct<VkRingPriorityInfoMESA>(info.pNext, VK_STRUCTURE_TYPE_RING_PRIORITY_INFO_MESA))
    nice_ = priority->priority;
  if (context.latency()) hops_ = std::make_unique<observe::HopTimes>();
  stream_.time(hops_.get());
  // What is recorded is to be executed again in the order in which it was taken in.
  if (const unsigned lanes = context.recording_lanes(); lanes != 0 && !context.recorder() && !context.rings_by_hand()) {
    lanes_ = std::make_unique<RecordingLanes>(context, this, lanes);
    stream_.use_lanes(lanes_.get());
    LOG_DEBUG("ring {:#x}: up to {} threads beside it record long command buffers", id, lanes);
  }
  // A recycled resource may still hold an old ring's words; the guest starts at zero.
  shared(head_offset_).store(0, std::memory_order_relaxed);
  shared(status_offset_).store(0, std::memory_order_release);
}

Ring::~Ring() {
  request_stop();
  if (thread_.joinable()) thread_.join();
  lanes_.reset();
  if (hops_) context_.latency()->add(*hops_);
}

void Ring::notify() {
  if (hops_) [[unlikely]] hops_->notified();
  parking_.unpark();
}

void Ring::request_stop() {
  stop_.store(true, std::memory_order_seq_cst);
  parking_.unpark();
  virtqueue_parking_.unpark();
  head_parking_.unpark();
}

void Ring::run() {
  platform::set_thread_name("pvgpu-ring");
  platform::set_thread_punctual();
  // The guest's priorities are advice: raising one needs rights that a worker does not have.
  if (nice_ > 0) platform::set_thread_nice(std::min(nice_, 19));
  while (wait_for_work() && drain()) {
  }
  // Whoever waits for this ring's progress must learn that there will be none.
  stop_.store(true, std::memory_order_seq_cst);
  head_parking_.unpark();
}

// Returns when the tail has moved; false: stop.
bool Ring::wait_for_work() {
  RingWait wait(std::chrono::nanoseconds(idle_timeout_ns_), processors_);
  // acquire: pairs with the guest's release store of tail, so that the command bytes are seen.
  const auto has_work = [this] { return shared(tail_offset_).load(std::memory_order_acquire) != head_; };
  const Clock::time_point start = Clock::now();
  uint32_t idle_rounds = 0;
  for (uint32_t spins = 0;; ++spins) {
    if (stop_.load(std::memory_order_relaxed)) return false;
    if (has_work()) return true;
    if (hops_) [[unlikely]] hops_->looked();
    if (spins % 16 != 0) {  // reading the clock costs more than looking at the tail
      pause();
      continue;
    }
    const auto waited = Clock::now() - start;
    switch (wait.next(waited)) {
      case RingWait::Action::kSpin:
        break;
      case RingWait::Action::kYield:
        std::this_thread::yield();
        wait.yielded(Clock::now() - start - waited);
        spins = ~0u;
        break;
      case RingWait::Action::kNap:
        std::this_thread::sleep_for(RingWait::nap(waited));
        spins = ~0u;
        break;
      case RingWait::Action::kIdle: {
        const uint32_t ticket = parking_.prepare();
        // seq_cst: the guest stores tail and then loads status; one of us sees the other's store.
        shared(status_offset_).fetch_or(kStatusIdle, std::memory_order_seq_cst);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (!has_work() && !stop_.load(std::memory_order_seq_cst)) {
          const bool notified = parking_.park(ticket, RingWait::idle_sleep(idle_rounds++));
          if (hops_ && !notified) [[unlikely]] hops_->woke();
        }
        shared(status_offset_).fetch_and(~kStatusIdle, std::memory_order_seq_cst);
        spins = ~0u;
        break;
      }
    }
  }
}

// Executes everything up to the tail as it is now; false: stop, or poisoned.
bool Ring::drain() {
  const uint32_t tail = shared(tail_offset_).load(std::memory_order_acquire);
  const uint32_t size = tail - head_;
  if (size > buffer_size_ || size % 4 != 0) {
    context_.poison({PoisonReason::kBadRing,
                     fmt::format("tail {} is {} bytes past head {} in a ring of {}", tail, size, head_, buffer_size_)});
    return false;
  }
  span_start_ = head_;
  span_end_ = tail;
  if (hops_) [[unlikely]] hops_->picked_up();
  const std::span<const std::byte> span = copy_out(head_, size);
  if (observe::Recorder* recorder = context_.recorder()) [[unlikely]]
    recorder->add(observe::RecordedEvent::Kind::kRingCommands, {id_}, span);
  const bool fine = stream_.execute(span, this);
  if (hops_) [[unlikely]] hops_->span_done();
  return fine && !stop_.load(std::memory_order_relaxed);
}

HoldBack* Ring::hold_back() { return context_.rings_by_hand() ? nullptr : &hold_back_; }

bool Ring::execute(std::span<const std::byte> span) {
  if (span.size() > copy_.size()) {
    context_.poison({PoisonReason::kBadRing, fmt::format("{} bytes for a ring of {}", span.size(), buffer_size_)});
    return false;
  }
  span_start_ = head_;
  std::memcpy(copy_.data(), span.data(), span.size());
  return stream_.execute({copy_.data(), span.size()}, this);
}

void Ring::executed(size_t bytes) {
  head_ = span_start_ + static_cast<uint32_t>(bytes);
  published_head_.store(head_, std::memory_order_release);
  // release: replies and side effects of the command come before the promise that it is done.
  shared(head_offset_).store(head_, std::memory_order_release);
  if (head_waiters_.load(std::memory_order_relaxed)) [[unlikely]] head_parking_.unpark();
  if (hops_) [[unlikely]] hops_->told();
}

std::span<const std::byte> Ring::copy_out(uint32_t head, uint32_t size) {
  const std::byte* buffer = base_ + buffer_offset_;
  const uint32_t from = head & (buffer_size_ - 1);
  const uint32_t first = std::min(size, buffer_size_ - from);
  std::memcpy(copy_.data(), buffer + from, first);
  std::memcpy(copy_.data() + first, buffer, size - first);
  return {copy_.data(), size};
}

bool Ring::wait_seqno(uint32_t seqno) {
  if (context_.rings_by_hand()) return true;
  const auto reached = [&] {
    return static_cast<int32_t>(published_head_.load(std::memory_order_acquire) - seqno) >= 0;
  };
  head_waiters_.fetch_add(1, std::memory_order_seq_cst);
  parking_.unpark();  // the ring may be asleep, and the guest's own notification is queued behind us
  bool result = true;
  while (!reached()) {
    const uint32_t ticket = head_parking_.prepare();
    if (reached()) break;
    if (stop_.load(std::memory_order_seq_cst) || context_.is_poisoned()) {
      result = reached();
      break;
    }
    // An empty ring that has not got there never will: the guest stored tail before it asked.
    const uint32_t tail = shared(tail_offset_).load(std::memory_order_seq_cst);
    if (static_cast<int32_t>(tail - seqno) < 0) {
      result = false;
      break;
    }
    // Bounded, because the ring's thread looks at head_waiters_ without a fence: a missed look costs this.
    head_parking_.park(ticket, std::chrono::microseconds(200));
  }
  head_waiters_.fetch_sub(1, std::memory_order_relaxed);
  // What follows on another stream may depend on a submission that is with the lanes.
  if (result && lanes_) lanes_->wait();
  return result;
}

void Ring::submit_virtqueue_seqno(uint64_t seqno) {
  virtqueue_seqno_.store(seqno, std::memory_order_release);
  virtqueue_parking_.unpark();
}

bool Ring::wait_virtqueue_seqno(uint64_t seqno) {
  if (context_.rings_by_hand()) return true;
  for (;;) {
    const uint32_t ticket = virtqueue_parking_.prepare();
    if (virtqueue_seqno_.load(std::memory_order_acquire) >= seqno) return true;
    if (stop_.load(std::memory_order_seq_cst) || context_.is_poisoned()) return false;
    virtqueue_parking_.park(ticket, std::chrono::seconds(1));
  }
}

bool Ring::write_extra(size_t offset, uint32_t value) {
  if (offset % 4 != 0 || extra_size_ < 4 || offset > extra_size_ - 4) return false;
  shared(extra_offset_ + offset).store(value, std::memory_order_release);
  return true;
}

void Ring::set_fatal() {
  shared(status_offset_).fetch_or(kStatusFatal, std::memory_order_seq_cst);
  parking_.unpark();
  virtqueue_parking_.unpark();
  head_parking_.unpark();
}

void Ring::set_alive() { shared(status_offset_).fetch_or(kStatusAlive, std::memory_order_seq_cst); }

}  // namespace pvgpu::venus
