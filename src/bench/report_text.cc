#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bench/report.h"

namespace pvgpu::bench {
namespace {

// As a terminal shows it: bytes that continue a UTF-8 character take no place.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xc0) != 0x80; }));
}

// Rows of cells that are padded to their columns' widths: the first two to the right of them, the
// others to the left.
class TextTable {
 public:
  void add(std::vector<std::string> row) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], width(row[i]));
    rows_.push_back(std::move(row));
  }

  std::string text() const {
    std::string text;
    for (const auto& row : rows_) {
      std::string line = " ";
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string padding(widths_[i] - width(row[i]), ' ');
        line += i < kLeftColumns ? " " + row[i] + padding + " " : "   " + padding + row[i];
      }
      text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    return text;
  }

 private:
  static constexpr size_t kLeftColumns = 2;
  std::vector<size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

std::string ratio_text(const Spread& ratio) {
  const std::string least = quantity(ratio.min), most = quantity(ratio.max);
  if (least == most) return least + "×";
  return fmt::format("{}× ({}–{})", quantity(ratio.median), least, most);
}

std::vector<std::string> header(const Report& report) {
  std::vector<std::string> row = {"", ""};
  for (const SideInfo& side : report.sides) row.push_back(side.name);
  for (const SideInfo& side : report.sides) {
    if (side.name != kOurs) row.push_back(fmt::format("{} / {}", kOurs, side.name));
  }
  return row;
}

std::vector<std::string> figure_row(const Report& report, const WorkResult& result,
                                    const Figure& figure) {
  const Unit& unit = result.work->unit;
  std::vector<std::string> row = {
      std::string(figure.name),
      fmt::format("{} {}", unit.name, unit.better == Better::kLower ? "↓" : "↑")};
  for (const SideResult& side : result.sides) {
    const auto* values = side.values(figure.name);
    row.push_back(values ? quantity(spread(*values).median) : "–");
  }
  const auto comparisons = compare(report, result, figure);
  for (size_t i = 0; i < report.sides.size(); ++i) {
    if (report.sides[i].name == kOurs) continue;
    const auto found = std::ranges::find(comparisons, i, &Comparison::other);
    row.push_back(found == comparisons.end() ? "–" : ratio_text(found->ratio));
  }
  return row;
}

std::string hops_text(const WorkResult& result) {
  TextTable table;
  table.add({"within our host", "µs ↓", "count", "p50", "p99", "p99.9", "most"});
  for (const Hop& hop : result.hops)
    table.add({hop.name, "", std::to_string(hop.count), quantity(hop.p50), quantity(hop.p99), quantity(hop.p999), quantity(hop.most)});
  return table.text();
}

}  // namespace

std::string to_text(const Report& report) {
  std::string text;
  for (const auto& [name, value] : report.about) text += fmt::format("{:<9} {}\n", name, value);
  for (const SideInfo& side : report.sides) {
    if (!side.note.empty()) text += fmt::format("{:<9} {}\n", side.name, side.note);
  }
  text +=
      "Medians of all rounds; ratios within rounds: median (smallest–largest). ↓ lower is better, "
      "↑ higher is better.\n";
  for (const WorkResult& result : report.works) {
    text +=
        fmt::format("\n{} ({})\n  {}\n", result.work->title, result.work->name, result.work->what);
    TextTable table;
    table.add(header(report));
    for (const Figure& figure : result.work->figures) table.add(figure_row(report, result, figure));
    text += table.text();
    if (!result.hops.empty()) text += hops_text(result);
    for (size_t i = 0; i < result.sides.size(); ++i) {
      const std::string& failure = result.sides[i].failure;
      if (!failure.empty()) text += fmt::format("  {} failed: {}\n", report.sides[i].name, failure);
    }
  }
  return text;
}

}  // namespace pvgpu::bench
