// What a run of `pvgpu bench` came to, and its three forms: text for people, JSON for programs, a
// page with charts. Value types and pure functions; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/hops.h"
#include "bench/outcome.h"
#include "bench/statistics.h"
#include "bench/works.h"

namespace pvgpu::bench {

// Who did the work: "native", "pvgpu", "peer". The report compares kOurs with each of the others.
inline constexpr std::string_view kOurs = "pvgpu";

struct SideInfo {
  std::string name;
  std::string note;  // what a reader must know about it; may be empty
  std::string gpu;   // as its driver names it, once it has run
};

// One work on one side, over all rounds.
struct SideResult {
  std::map<std::string, std::vector<double>, std::less<>> figures;  // a value per round
  Histogram distribution;                                           // of all rounds
  std::string failure;  // of the last round, if it failed

  void add(const Outcome& outcome);
  // nullptr: not measured.
  const std::vector<double>* values(std::string_view figure) const;
};

struct WorkResult {
  const Work* work;
  std::vector<SideResult> sides;  // as Report::sides
  std::vector<Hop> hops;          // of ours, in a run of its own; may be empty
};

struct Report {
  std::vector<std::pair<std::string, std::string>>
      about;  // "GPU" → "llvmpipe (…)", in the order to show
  std::vector<SideInfo> sides;
  std::vector<WorkResult> works;

  // The place of kOurs in `sides`.
  size_t ours() const;
};

// Ours to another side's, of one figure.
struct Comparison {
  size_t other;  // index of the side
  Spread ratio;  // as measured: for latencies, below 1 is faster
  Spread speed;  // how many times as fast we are, whichever direction the unit has
};
// Those for which both sides have values.
std::vector<Comparison> compare(const Report& report, const WorkResult& result,
                                const Figure& figure);

// "0.053", "12.3", "9.41 M": three digits, whatever the size.
std::string quantity(double value);

std::string to_text(const Report& report);
std::string to_json(const Report& report);
std::string to_html(const Report& report);

}  // namespace pvgpu::bench
