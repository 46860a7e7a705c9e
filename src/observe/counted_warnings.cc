#include "observe/counted_warnings.h"

#include <algorithm>
#include <utility>

namespace pvgpu::observe {

bool CountedWarnings::count(std::string_view text, uint32_t number) {
  const auto known = std::ranges::find_if(kinds_, [&](const Kind& kind) { return kind.number == number && kind.text == text; });
  if (known != kinds_.end()) {
    known->more++;
    return false;
  }
  if (kinds_.size() == kMaxKinds) {
    of_other_kinds_++;
    return false;
  }
  kinds_.push_back({.text = text, .number = number});
  return true;
}

void CountedWarnings::write_first(std::string line) {
  warn_within(limit_, "{}", line);
  kinds_.back().first = std::move(line);
}

void CountedWarnings::finish() {
  for (const Kind& kind : kinds_)
    if (kind.more > 0) warn_within(limit_, "{} (and {} more like it)", kind.first, kind.more);
  if (of_other_kinds_ > 0) warn_within(limit_, "{} warnings of further kinds", of_other_kinds_);
  kinds_.clear();
  of_other_kinds_ = 0;
}

}  // namespace pvgpu::observe
