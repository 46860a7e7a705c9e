#include <fmt/format.h>

#include "bench/charts.h"
#include "bench/report.h"

namespace pvgpu::bench {
namespace {

// Colours that are told apart by colour-blind readers too, for light and dark pages.
constexpr const char* kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>pvgpu bench</title>
<style>
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --faint: #d7dce1; --quiet: #5b6570;
        --side-0: #8a8f98; --side-1: #0067c0; --side-2: #c2571a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --ink: #e4e8ec; --faint: #333a41; --quiet: #9aa4ae;
          --side-0: #9aa0a8; --side-1: #5aaef5; --side-2: #f0935a; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--page); color: var(--ink);
       font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .2rem; }
p { margin: .2rem 0 .8rem; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .6rem 0; }
th, td { padding: .15rem .9rem .15rem 0; text-align: right; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
.wide { overflow-x: auto; }
svg { width: 100%; height: auto; margin: .5rem 0; } svg text { fill: var(--ink); font-size: 12px; }
.axis { stroke: var(--quiet); } .grid { stroke: var(--faint); } .whisker { stroke: var(--ink); opacity: .55; }
.side-0 { --side: var(--side-0); } .side-1 { --side: var(--side-1); } .side-2 { --side: var(--side-2); }
.hop-0 { --side: #c2571a; } .hop-1 { --side: #0067c0; } .hop-2 { --side: #8a8f98; } .hop-3 { --side: #1f9d6b; }
.hop-4 { --side: #b04aa8; } .hop-5 { --side: #b8960c; } .hop-6 { --side: #5b5bd6; }
.fill { fill: var(--side); } .stroke { stroke: var(--side); stroke-width: 2; fill: none; }
.hollow { stroke: var(--side); stroke-width: 2; fill: var(--page); }
.range { stroke: var(--side); stroke-width: 2; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .4em 0 1.2em; background: var(--side); }
</style>
</head>
<body>
<h1>pvgpu bench</h1>
)";

std::string about(const Report& report) {
  std::string html = "<table>\n";
  for (const auto& [name, value] : report.about) {
    html += fmt::format("<tr><td>{}</td><td style=\"text-align: left\">{}</td></tr>\n",
                        escape_html(name), escape_html(value));
  }
  return html + "</table>\n";
}

std::string legend(const Report& report) {
  std::string html = "<p>";
  for (size_t i = 0; i < report.sides.size(); ++i) {
    const SideInfo& side = report.sides[i];
    html += fmt::format("<span class=\"key side-{}\" title=\"{}\"></span>{}", i,
                        escape_html(side.gpu), escape_html(side.name));
    if (!side.note.empty())
      html += fmt::format(" <span class=\"quiet\">({})</span>", escape_html(side.note));
  }
  return html + "</p>\n";
}

std::string speeds(const Report& report) {
  const std::string ours = escape_html(kOurs);
  return "<h2>How many times as fast as the others</h2>\n<p class=\"quiet\">Right of 1×, " + ours +
         " is faster than the side of the dot's colour; the lines reach from the smallest to the "
         "greatest ratio within a round. "
         "Logarithmic; hollow dots lie further out.</p>\n" +
         speed_chart(report);
}

std::string table(const Report& report, const WorkResult& result) {
  std::string html = "<div class=\"wide\"><table>\n<tr><th>figure</th><th>unit</th>";
  for (const SideInfo& side : report.sides)
    html += fmt::format("<th>{}</th>", escape_html(side.name));
  html += fmt::format("<th>{} to the others: median (smallest–largest)</th></tr>\n", kOurs);
  const Unit& unit = result.work->unit;
  for (const Figure& figure : result.work->figures) {
    html += fmt::format("<tr><td title=\"{}\">{}</td><td>{} {}</td>", escape_html(figure.what),
                        escape_html(figure.name), escape_html(unit.name),
                        unit.better == Better::kLower ? "↓" : "↑");
    for (const SideResult& side : result.sides) {
      const auto* values = side.values(figure.name);
      html += fmt::format("<td>{}</td>", values ? quantity(spread(*values).median) : "–");
    }
    html += "<td>";
    for (const Comparison& comparison : compare(report, result, figure)) {
      html += fmt::format("<span class=\"key side-{}\"></span>{}× ({}–{})", comparison.other,
                          quantity(comparison.ratio.median), quantity(comparison.ratio.min),
                          quantity(comparison.ratio.max));
    }
    html += "</td></tr>\n";
  }
  return html + "</table></div>\n";
}

std::string hops(const WorkResult& result) {
  if (result.hops.empty()) return "";
  std::string html =
      "<p class=\"quiet\">Where the time goes within our host, in µs, measured in one more run. pick-up: from the guest's store "
      "until we see it, at most; decode: from there to the driver's function; driver: in it; reply: from there until the guest "
      "can see it; recorded: up to 1 KiB of vkCmd*; streams: of commands in shared memory; span: all that was found at one look.</p>\n" +
      hops_chart(result) + "<div class=\"wide\"><table>\n<tr><th>hop</th><th>count</th><th>p50</th><th>p99</th><th>p99.9</th>"
      "<th>most</th></tr>\n";
  for (size_t i = 0; i < result.hops.size(); ++i) {
    const Hop& hop = result.hops[i];
    html += fmt::format("<tr><td><span class=\"key hop-{}\" style=\"margin-left: 0\"></span>{}</td><td>{}</td>", i,
                        escape_html(hop.name), hop.count);
    for (double value : {hop.p50, hop.p99, hop.p999, hop.most}) html += fmt::format("<td>{}</td>", quantity(value));
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string work(const Report& report, const WorkResult& result) {
  std::string html = fmt::format("<h2 id=\"{}\">{}</h2>\n<p class=\"quiet\">{}</p>\n",
                                 escape_html(result.work->name), escape_html(result.work->title),
                                 escape_html(result.work->what));
  html += result.work->distribution ? histogram_chart(report, result) : bar_chart(report, result);
  html += table(report, result) + hops(result);
  for (size_t i = 0; i < result.sides.size(); ++i) {
    const std::string& failure = result.sides[i].failure;
    if (failure.empty()) continue;
    html += fmt::format("<p>{} failed: {}</p>\n", escape_html(report.sides[i].name),
                        escape_html(failure));
  }
  return html;
}

}  // namespace

std::string to_html(const Report& report) {
  std::string html = kHead + about(report) + legend(report);
  html += "<p class=\"quiet\">Medians of all rounds. ↓ lower is better, ↑ higher is better.</p>\n" +
          speeds(report);
  for (const WorkResult& result : report.works) html += work(report, result);
  return html + "</body>\n</html>\n";
}

}  // namespace pvgpu::bench
