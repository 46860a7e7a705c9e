// How long "not yet" is held back from a guest that asks whether something has been signalled, as a pure decision. The ring's thread
// would only look for the next question meanwhile, and a guest that is answered too early asks again or goes to sleep.
//
// Mesa's guests ask 15 times in a row and then sleep for 160 us and more, so what they wait for is seen at once if it takes less than 15
// answers. Within a question they yield 255 times and then sleep as well: 15 to 25 us on one machine, 120 to 180 on another. So it is learned
// how long they can be kept waiting, by how soon they ask again: one that has slept comes late. Only whoever asks for the same thing again at once is
// kept for longer than a moment; others may have something else to do.
//
// Used by the ring's thread alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace pvgpu::venus {

class HoldBack {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::nanoseconds kLeast = std::chrono::microseconds(8);
  static constexpr std::chrono::nanoseconds kMost = std::chrono::microseconds(128);

  // `processors`: how many this process may use. With one or two the driver's threads may well wait for this one.
  explicit HoldBack(unsigned processors) : spin_(processors > 2 ? kLeast : Clock::duration(0)) {}

  // There is a question about `object`: how long "not yet" may be held back.
  Clock::duration asked(uint64_t object, Clock::time_point now) {
    if (object == object_) {
      const auto since = now - answered_;
      if (judged()) learn(since);
      asked_ = since <= kAtOnce ? asked_ + 1 : 1;
      waits_ |= asked_ > kJudged;
    } else {
      object_ = object;
      asked_ = 1;
      waits_ = false;
    }
    return waits_ || asked_ > 1 ? hold_ : kLeast;
  }

  // Whether to make way for others between two looks, once an answer has been held back for so long.
  bool yields(Clock::duration held) const { return held >= spin_; }

  // The answer is "not yet" still, at `now`; `whole`: it was held back for as long as it might be.
  void not_yet(Clock::time_point now, bool whole) {
    answered_ = now;
    whole_ = whole;
  }

  // The answer to what was asked is yes.
  void arrived() { object_ = 0; }

 private:
  // Of a guest that waits in a loop. Between this and the next is what says nothing: it was interrupted, or does something else.
  static constexpr Clock::duration kAtOnce = std::chrono::microseconds(15);
  static constexpr Clock::duration kSlept = std::chrono::microseconds(60);
  // Questions in a row after which guests may sleep for other reasons than an answer that took too long.
  static constexpr uint32_t kJudged = 12;
  static constexpr uint32_t kTriedAtFirst = 8, kTriedAtMost = 4096;

  bool judged() const { return whole_ && !waits_ && asked_ > 1 && asked_ <= kJudged; }

  void learn(Clock::duration since) {
    if (since <= kAtOnce) {
      late_ = 0;
      if (++in_time_ < needed_) return;
      hold_ = std::min<Clock::duration>(hold_ * 5 / 4, kMost);
      in_time_ = 0;
    } else if (since >= kSlept && ++late_ == 2) {  // a single one may have been interrupted
      hold_ = std::max<Clock::duration>(hold_ * 3 / 4, kLeast);
      needed_ = std::min(needed_ * 8, kTriedAtMost);
      in_time_ = late_ = 0;
    }
  }

  Clock::duration spin_;
  Clock::duration hold_ = kLeast;
  uint64_t object_ = 0;  // what was asked about last; 0: that has arrived
  Clock::time_point answered_{};
  uint32_t asked_ = 0;   // in a row, at once after each other
  bool whole_ = false;
  bool waits_ = false;   // has asked so often that it does nothing else
  uint32_t in_time_ = 0, late_ = 0, needed_ = kTriedAtFirst;
};

}  // namespace pvgpu::venus
