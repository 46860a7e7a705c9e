#include "venus/recording_lanes.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "platform/thread.h"
#include "venus/context_impl.h"
#include "venus/ring_wait.h"
#include "venus/stream.h"

namespace pvgpu::venus {
namespace {

using Clock = std::chrono::steady_clock;

// How long a lane looks for its next job before it sleeps: past the pauses between the command buffers of a frame.
constexpr std::chrono::microseconds kLooking{400};

constexpr size_t kLeastCapacity = size_t{4} << 10;

// How often to look before a system call: what is waited for is mostly nearly there.
constexpr int kLooks = 2000;

}  // namespace

struct RecordingLanes::Job {
  Bytes bytes;
  Moment before{};               // what had been handed over
  bool follows = false;          // all of that
  // For the ring's thread to look at.
  const Object* pool = nullptr;
  VkFence fence = VK_NULL_HANDLE;
};

// A queue of one writer, the ring's thread, and one reader, the lane's.
struct RecordingLanes::Lane {
  Lane(ContextImpl& context, Ring* ring) : stream(context, ring) {}
  std::array<Job, kMostJobs> jobs;
  std::atomic<uint64_t> handed{0};
  std::atomic<uint64_t> done{0};
  std::atomic<bool> asleep{true};  // or about to be
  platform::ParkingSpot work;
  Stream stream;
  std::thread thread;
};

unsigned RecordingLanes::count_for(unsigned processors) {
  if (processors < 4) return 0;  // they would take turns with the guest and with the driver's own threads
  return std::min(processors / 2 - 1, kMostLanes);
}

unsigned RecordingLanes::usual_count() {
  static const unsigned count = [] {
    unsigned asked = 0;
    if (const char* text = std::getenv("PVGPU_RECORDING_THREADS")) {
      const std::string_view digits(text);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), asked);
      if (error == std::errc() && end == digits.data() + digits.size()) return std::min(asked, kMostLanes);
    }
    return count_for(platform::usable_processors());
  }();
  return count;
}

RecordingLanes::RecordingLanes(ContextImpl& context, Ring* ring, unsigned lanes)
    : context_(context), processors_(platform::usable_processors()) {
  for (unsigned i = 0; i < std::clamp(lanes, 1u, kMostLanes); ++i) lanes_.push_back(std::make_unique<Lane>(context, ring));
  submitting_ = lanes_.back().get();
  recording_ = std::span(lanes_).first(std::max<size_t>(lanes_.size() - 1, 1));
}

RecordingLanes::~RecordingLanes() {
  stop_.store(true, std::memory_order_seq_cst);
  for (auto& lane : lanes_) lane->work.unpark();
  for (auto& lane : lanes_)
    if (lane->thread.joinable()) lane->thread.join();
}

// acquire: who sees that a job is done sees what it has done.
bool RecordingLanes::reached(const Lane& lane, uint64_t count) { return lane.done.load(std::memory_order_acquire) >= count; }

uint64_t RecordingLanes::left(const Lane& lane) {
  return lane.handed.load(std::memory_order_relaxed) - lane.done.load(std::memory_order_acquire);
}

bool RecordingLanes::holds(VkFence fence) const {
  for (const auto& lane : lanes_) {
    const uint64_t handed = lane->handed.load(std::memory_order_relaxed);
    for (uint64_t i = lane->done.load(std::memory_order_acquire); i != handed; ++i)
      if (lane->jobs[i % kMostJobs].fence == fence) return true;
  }
  return false;
}

bool RecordingLanes::holds(const Lane& lane, const Object* pool) {
  const uint64_t handed = lane.handed.load(std::memory_order_relaxed);
  for (uint64_t i = lane.done.load(std::memory_order_acquire); i != handed; ++i)
    if (lane.jobs[i % kMostJobs].pool == pool) return true;
  return false;
}

RecordingLanes::Bytes RecordingLanes::take(size_t size) {
  if (pending_bytes_.load(std::memory_order_relaxed) + size > kMostPendingBytes) wait();
  {
    std::lock_guard lock(spare_mutex_);
    // The last that came back is the likeliest to be in a processor's cache.
    const auto fits = std::find_if(spare_.rbegin(), spare_.rend(), [size](const Bytes& bytes) { return bytes.capacity >= size; });
    if (fits != spare_.rend()) {
      Bytes bytes = std::move(*fits);
      spare_.erase(std::next(fits).base());
      spare_bytes_ -= bytes.capacity;
      bytes.size = size;
      return bytes;
    }
  }
  const size_t capacity = std::bit_ceil(std::max(size, kLeastCapacity));
  return {std::make_unique_for_overwrite<std::byte[]>(capacity), capacity, size};
}

void RecordingLanes::give_back(Bytes bytes) {
  std::lock_guard lock(spare_mutex_);
  if (spare_bytes_ + bytes.capacity > kKeptBytes) return;
  spare_bytes_ += bytes.capacity;
  spare_.push_back(std::move(bytes));
}

RecordingLanes::Lane& RecordingLanes::lane_for(const Object* pool) {
  for (auto& lane : recording_)
    if (holds(*lane, pool)) return *lane;
  // The first of the least busy, so that one is enough where one suffices.
  return **std::ranges::min_element(recording_, {}, [](const auto& lane) { return left(*lane); });
}

bool RecordingLanes::ready(const Object* pool, size_t size) {
  Lane& lane = lane_for(pool);
  if (size >= kWakingBytes || holds(lane, pool)) return true;
  if (size < kLeastBytes) return false;
  if (!asleep(lane)) return true;
  wake(lane);
  return false;
}

bool RecordingLanes::asleep(const Lane& lane) { return lane.asleep.load(std::memory_order_relaxed); }

bool RecordingLanes::ready_to_follow() const { return !asleep(*submitting_); }

void RecordingLanes::record(const Object* pool, Bytes commands) {
  hand_over(lane_for(pool), std::move(commands), pool, VK_NULL_HANDLE);
  if (asleep(*submitting_)) wake(*submitting_);
}

void RecordingLanes::follow(std::span<const std::byte> submission, VkFence fence) {
  Bytes bytes = take(submission.size());
  std::memcpy(bytes.data.get(), submission.data(), submission.size());
  hand_over(*submitting_, std::move(bytes), nullptr, fence);
}

void RecordingLanes::hand_over(Lane& lane, Bytes bytes, const Object* pool, VkFence fence) {
  const uint64_t number = lane.handed.load(std::memory_order_relaxed);
  if (number >= kMostJobs) wait(lane, number + 1 - kMostJobs);
  pending_bytes_.fetch_add(bytes.size, std::memory_order_relaxed);
  lane.jobs[number % kMostJobs] = {std::move(bytes), now(), pool == nullptr, pool, fence};
  // seq_cst: pairs with the lane's look after it has prepared to sleep; and what the job is made of is seen with it.
  lane.handed.store(number + 1, std::memory_order_seq_cst);
  wake(lane);
}

void RecordingLanes::wake(Lane& lane) {
  lane.work.unpark();
  if (!lane.thread.joinable()) lane.thread = std::thread([this, &lane] { run(lane); });
}

RecordingLanes::Moment RecordingLanes::now() const {
  Moment moment{};
  // acquire: who has seen the ring's head, which is told after something was handed over, sees it here.
  for (size_t i = 0; i < lanes_.size(); ++i) moment[i] = lanes_[i]->handed.load(std::memory_order_acquire);
  return moment;
}

bool RecordingLanes::busy(const Moment& moment) const {
  for (size_t i = 0; i < lanes_.size(); ++i)
    if (!reached(*lanes_[i], moment[i])) return true;
  return false;
}

void RecordingLanes::wait(const Moment& moment) {
  for (size_t i = 0; i < lanes_.size(); ++i) wait(*lanes_[i], moment[i]);
}

void RecordingLanes::wait_for_pool(const Object* pool) {
  for (auto& lane : recording_)
    if (holds(*lane, pool)) wait(*lane, lane->handed.load(std::memory_order_relaxed));
}

void RecordingLanes::wait(const Lane& lane, uint64_t count) {
  for (int looks = 0; looks < kLooks; ++looks) {
    if (reached(lane, count)) return;
    if (looks > 100) std::this_thread::yield();
  }
  for (;;) {
    const uint32_t ticket = progress_.prepare();
    if (reached(lane, count)) return;
    progress_.park(ticket);
  }
}

void RecordingLanes::run(Lane& lane) {
  platform::set_thread_name("pvgpu-record");
  platform::set_thread_punctual();
  while (wait_for_job(lane)) {
    const uint64_t number = lane.done.load(std::memory_order_relaxed);
    Job& job = lane.jobs[number % kMostJobs];
    execute(lane, job);
    pending_bytes_.fetch_sub(job.bytes.size, std::memory_order_relaxed);
    give_back(std::move(job.bytes));
    // release: what the job has done is seen by who sees that it is done; unpark() orders it before its look at who sleeps.
    lane.done.store(number + 1, std::memory_order_release);
    progress_.unpark();
  }
}

// False: nothing is left, and nothing will come.
bool RecordingLanes::wait_for_job(Lane& lane) {
  RingWait wait(kLooking, processors_);
  const uint64_t done = lane.done.load(std::memory_order_relaxed);
  Clock::time_point start = Clock::now();
  lane.asleep.store(false, std::memory_order_relaxed);
  for (;;) {
    if (lane.handed.load(std::memory_order_acquire) != done) return true;
    if (stop_.load(std::memory_order_relaxed)) return lane.handed.load(std::memory_order_acquire) != done;
    const auto waited = Clock::now() - start;
    switch (wait.next(waited)) {
      case RingWait::Action::kSpin:
        break;
      case RingWait::Action::kYield:
        std::this_thread::yield();
        wait.yielded(Clock::now() - start - waited);
        break;
      case RingWait::Action::kNap:
        std::this_thread::sleep_for(RingWait::nap(waited));
        break;
      case RingWait::Action::kIdle: {
        const uint32_t ticket = lane.work.prepare();
        lane.asleep.store(true, std::memory_order_relaxed);
        // seq_cst: pairs with hand_over() and the destructor.
        if (lane.handed.load(std::memory_order_seq_cst) == done && !stop_.load(std::memory_order_seq_cst)) lane.work.park(ticket);
        lane.asleep.store(false, std::memory_order_relaxed);
        start = Clock::now();
        break;
      }
    }
  }
}

void RecordingLanes::execute(Lane& lane, Job& job) {
  if (context_.is_poisoned() || context_.stopping()) return;
  if (job.follows) {
    for (size_t i = 0; i < lanes_.size(); ++i)
      if (lanes_[i].get() != &lane) wait(*lanes_[i], job.before[i]);
    if (context_.is_poisoned()) return;
  }
  lane.stream.execute_on_lane(*this, job.before, job.bytes.span());
}

}  // namespace pvgpu::venus
