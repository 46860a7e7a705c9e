#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "platform/address_wait.h"

namespace pvgpu::platform {
namespace {

// Words share a place to wait at: a wake-up that was meant for another one is noticed by looking at the word.
struct Place {
  std::mutex mutex;
  std::condition_variable changed;
};

Place& place_of(const std::atomic<uint32_t>& word) {
  static std::array<Place, 64>& places = *new std::array<Place, 64>;  // threads may wait while static objects are destroyed
  const size_t hash = reinterpret_cast<uintptr_t>(&word) * uintptr_t{0x9e3779b97f4a7c15};
  return places[hash >> 58];
}

}  // namespace

bool wait_with_condition(std::atomic<uint32_t>& word, uint32_t expected, const Deadline& deadline) {
  Place& place = place_of(word);
  std::unique_lock lock(place.mutex);
  // Who changes the word after this look takes the mutex, and so comes after the wait has begun.
  if (word.load(std::memory_order_seq_cst) != expected) return true;
  if (deadline) return place.changed.wait_until(lock, *deadline) == std::cv_status::no_timeout;
  place.changed.wait(lock);
  return true;
}

void wake_all_with_condition(std::atomic<uint32_t>& word) {
  Place& place = place_of(word);
  std::lock_guard lock(place.mutex);
  place.changed.notify_all();
}

}  // namespace pvgpu::platform
