// The works of `pvgpu bench` and the figures that each yields, as data: the runner and the reports
// take names, units and descriptions from here, the client checks that it has measured every
// figure. Constant; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pvgpu::bench {

enum class Better { kLower, kHigher };

struct Unit {
  std::string_view name;  // "µs", "commands/s"
  Better better;
};

struct Figure {
  std::string_view name;  // unique within its work
  std::string_view what;  // one line for people
};

struct Work {
  std::string_view name;   // for --only
  std::string_view title;  // "Synchronous call, warm"
  std::string_view what;   // a sentence: what is done
  Unit unit;
  std::span<const Figure> figures;
  // Of latencies, whose single samples are reported as a distribution too.
  bool distribution = false;
};

// In the order in which they run and are reported.
std::span<const Work> all_works();
// nullptr: there is none.
const Work* find_work(std::string_view name);

// The works that `names` name, in their own order; all of them for no names. `unknown` gets the
// first name that is none.
std::vector<const Work*> select_works(std::span<const std::string> names, std::string& unknown);

}  // namespace pvgpu::bench
