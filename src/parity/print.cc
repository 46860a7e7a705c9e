#include "parity/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pvgpu::parity {
namespace {

using describe::Kind;

constexpr size_t kMostValue = 60;  // characters of a value in a line
constexpr size_t kLineWidth = 110;

struct Style {
  std::string_view bold, red, dim, plain;
};
constexpr Style kColour = {"\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"};
constexpr Style kNoColour = {};

std::string shortened(const std::string& value) {
  if (value.empty()) return "none";
  return value.size() <= kMostValue ? value : value.substr(0, kMostValue - 3) + "...";
}

std::string line(const Difference& difference) {
  std::string text = fmt::format("      {} {} {}", difference.sign, describe::kind_name(difference.kind), difference.name);
  if (difference.sign == '~') text += fmt::format(": {} -> {}", shortened(difference.native), shortened(difference.guest));
  return text + '\n';
}

// Differences of one cause, those with the same reason together.
std::string paragraph(const Table& table, Cause cause, const Style& style) {
  std::vector<std::pair<std::string, std::string>> by_reason;
  for (const Difference& difference : table.differences) {
    if (difference.cause != cause) continue;
    auto it = std::ranges::find(by_reason, difference.reason, &std::pair<std::string, std::string>::first);
    if (it == by_reason.end()) it = by_reason.insert(it, {difference.reason, ""});
    it->second += line(difference);
  }
  if (by_reason.empty()) return "";
  const std::string_view colour = cause == Cause::kUnexplained ? style.red : style.bold;
  std::string text = fmt::format("\n  {}{}{}\n", colour, cause_name(cause), style.plain);
  for (const auto& [reason, lines] : by_reason) text += fmt::format("    {}{}{}\n{}", style.dim, reason, style.plain, lines);
  return text;
}

// "features: …", in lines of at most kLineWidth.
std::string lacks_text(const Table& table, Kind kind) {
  std::string text, line = fmt::format("      {}s:", describe::kind_name(kind));
  const size_t nothing = line.size();
  for (const Lack& lack : table.driver_lacks) {
    if (lack.kind != kind) continue;
    if (line.size() + 1 + lack.name.size() > kLineWidth) {
      text += line + '\n';
      line = "       ";
    }
    line += ' ' + lack.name;
  }
  return text.empty() && line.size() == nothing ? "" : text + line + '\n';
}

std::string table_text(size_t index, const Table& table, const Style& style) {
  std::string text = fmt::format("{}GPU {}: {}{}\n", style.bold, index, table.native_name, style.plain);
  text += fmt::format("  native  Vulkan {}, {}\n", table.native_level, table.native_driver);
  text += fmt::format("  guest   Vulkan {}, {}: {}\n\n", table.guest_level, table.guest_driver, table.guest_name);
  text += fmt::format("  {:20} {:>7} {:>7} {:>10}\n", "", "native", "guest", "different");
  for (const Count& count : table.counts) {
    const auto different = std::ranges::count(table.differences, count.kind, &Difference::kind);
    text += fmt::format("  {:20} {:>7} {:>7} {:>10}\n", describe::kind_name(count.kind), count.native, count.guest, different);
  }
  if (table.differences.empty()) text += "\n  no differences\n";
  for (Cause cause : kCauses) text += paragraph(table, cause, style);
  if (!table.driver_lacks.empty()) {
    text += fmt::format("\n  {}no difference: the driver lacks it{}\n", style.bold, style.plain);
    text += lacks_text(table, Kind::kFeature) + lacks_text(table, Kind::kExtension);
  }
  if (!table.unread_extensions.empty()) {
    text += fmt::format("\n  {}newer than this build's Vulkan registry, so that what they bring was not compared{}\n",
                        style.dim, style.plain);
    for (const std::string& name : table.unread_extensions) text += fmt::format("      {}\n", name);
  }
  return text;
}

using Json = nlohmann::ordered_json;

Json table_json(const Table& table) {
  Json counts = Json::object(), differences = Json::array(), lacks = Json::array();
  for (const Count& count : table.counts)
    counts[std::string(describe::kind_name(count.kind))] = {{"native", count.native}, {"guest", count.guest}};
  for (const Difference& difference : table.differences) {
    differences.push_back({{"kind", describe::kind_name(difference.kind)},
                           {"sign", std::string(1, difference.sign)},
                           {"name", difference.name},
                           {"native", difference.native},
                           {"guest", difference.guest},
                           {"cause", cause_name(difference.cause)},
                           {"reason", difference.reason}});
  }
  for (const Lack& lack : table.driver_lacks) lacks.push_back({{"kind", describe::kind_name(lack.kind)}, {"name", lack.name}});
  return {{"native", {{"name", table.native_name}, {"driver", table.native_driver}, {"vulkan", table.native_level}}},
          {"guest", {{"name", table.guest_name}, {"driver", table.guest_driver}, {"vulkan", table.guest_level}}},
          {"counts", counts},
          {"explained", table.explained()},
          {"differences", differences},
          {"driver_lacks", lacks},
          {"unread_extensions", table.unread_extensions}};
}

}  // namespace

std::string to_text(std::span<const Table> tables, bool colour) {
  const Style& style = colour ? kColour : kNoColour;
  std::string text = "-: only native has it   +: only the guest has it   ~: both, with other values\n\n";
  for (size_t i = 0; i < tables.size(); ++i) text += (i ? "\n" : "") + table_text(i, tables[i], style);
  return text;
}

std::string to_json(std::span<const Table> tables) {
  Json devices = Json::array();
  for (const Table& table : tables) devices.push_back(table_json(table));
  // Drivers' names are their bytes: what is no UTF-8 must not throw.
  return Json{{"devices", devices}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pvgpu::parity
