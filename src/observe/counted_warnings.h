// Warnings that a guest can cause as often as it likes: the first of each kind is a line in the log, those after it are counted,
// and a line at the end tells how many they were. So a log tells what a guest does wrong, however often it does. At the level debug
// each is a line. Owned by the device that they are about, and used by its thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observe/log.h"
#include "observe/log_limit.h"

namespace pvgpu::observe {

class CountedWarnings {
 public:
  // More kinds than a device has of them.
  static constexpr size_t kMaxKinds = 128;

  // A guest can reset its device as often as it likes, too, and each time begins anew: so many lines a second there are at most.
  explicit CountedWarnings(uint32_t lines_per_second = 20) : limit_(lines_per_second) {}
  ~CountedWarnings() { finish(); }
  CountedWarnings(const CountedWarnings&) = delete;
  CountedWarnings& operator=(const CountedWarnings&) = delete;

  // `text`, a literal, and `number` tell what kind it is. `line()` is called only if its string is written: most warnings of a flood
  // cost a look at a short list.
  template <class Line>
  void add(std::string_view text, uint32_t number, Line line) {
    if (!enabled(Level::kWarn)) return;
    if (count(text, number)) {
      write_first(line());
    } else if (enabled(Level::kDebug)) {
      write(Level::kDebug, line());
    }
  }

  // A warning whose format is its kind.
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) {
    add({format.get().data(), format.get().size()}, 0, [&] { return fmt::format(format, std::forward<Args>(args)...); });
  }

  // Tells what was only counted, and begins anew: the next of each kind is the first again.
  void finish();

 private:
  struct Kind {
    std::string_view text;
    uint32_t number;
    uint64_t more = 0;
    std::string first{};
  };

  // Whether this is the first of its kind, which is then the last in `kinds_`.
  bool count(std::string_view text, uint32_t number);
  void write_first(std::string line);

  LogLimit limit_;
  std::vector<Kind> kinds_;
  uint64_t of_other_kinds_ = 0;
};

}  // namespace pvgpu::observe
