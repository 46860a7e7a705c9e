// How a ring's thread waits for the guest, as a pure decision: how to spend the next moment, given how
// long nothing has come. Looking without pause answers in well under a microsecond but takes a processor that
// the guest or the driver may need; sleeping frees it but costs a wake-up. Between the two: yield, then short naps.
//
// Mesa's guests wait for an answer by yielding 255 times, some 25 us, and then sleep for 160 us and more: a nap too many here costs
// them a whole sleep, and then the next one too. Hence the long time of yielding, past their first sleep, which is some 360 us long in an
// emulated machine, unless others want the processor.
//
// While IDLE is clear the guest sends no wake-up, so the thread must look again by itself; once IDLE has
// been announced it may sleep until it is notified. IDLE must not come before the guest's idle timeout has
// passed: guests do not notify twice within a millisecond. Source: protocol reference, 5.2 and 5.3.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pvgpu::venus {

class RingWait {
 public:
  using Nanoseconds = std::chrono::nanoseconds;
  enum class Action { kSpin, kYield, kNap, kIdle };

  // `processors`: how many this process may use. On one, spinning only delays the guest; on two, what the driver has been given, whose
  // thread the system may well have put behind this one.
  RingWait(Nanoseconds idle_timeout, unsigned processors)
      : idle_timeout_(idle_timeout), spin_(processors > 2 ? kSpin : Nanoseconds(0)) {}

  // What to do when nothing has come for `waited`.
  Action next(Nanoseconds waited) const {
    if (waited < spin_) return Action::kSpin;
    if (waited < kYield && !crowded_) return Action::kYield;
    if (waited < idle_timeout_) return Action::kNap;
    return Action::kIdle;
  }
  // How long it took to come back from a yield. One that took long means that others had something to do: they shall have it.
  void yielded(Nanoseconds taken) { crowded_ |= taken > kLongYield; }
  // Length of a nap: proportional to the time waited, so that a nap adds little to any latency.
  static Nanoseconds nap(Nanoseconds waited) { return std::clamp(waited / 8, kLeastNap, kMostNap); }

  // Sleeps after IDLE was announced, in order: a guest whose tail became visible only after we looked
  // (Mesa up to 25.x stores it with release order) is found by the first two; then only a wake-up counts.
  static Nanoseconds idle_sleep(uint32_t round) {
    constexpr Nanoseconds kRounds[] = {std::chrono::microseconds(100), std::chrono::milliseconds(2),
                                       std::chrono::milliseconds(50)};
    return round < 3 ? kRounds[round] : std::chrono::seconds(1);
  }

 private:
  // Short, because the guest may be waiting for this very processor.
  static constexpr Nanoseconds kSpin = std::chrono::microseconds(2);
  static constexpr Nanoseconds kYield = std::chrono::milliseconds(1);
  static constexpr Nanoseconds kLongYield = std::chrono::microseconds(200);
  static constexpr Nanoseconds kLeastNap = std::chrono::microseconds(10);
  static constexpr Nanoseconds kMostNap = std::chrono::microseconds(60);

  Nanoseconds idle_timeout_;
  Nanoseconds spin_;
  bool crowded_ = false;
};

}  // namespace pvgpu::venus
