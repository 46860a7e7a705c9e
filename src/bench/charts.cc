#include "bench/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace pvgpu::bench {
namespace {

constexpr double kWidth = 860;
constexpr double kNames = 230;  // the place of the rows' names, at the left

std::string svg(double height, std::string_view label, std::string_view content) {
  return fmt::format("<svg viewBox=\"0 0 {} {:.0f}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                     kWidth, height, escape_html(label), content);
}

std::string text(double x, double y, std::string_view anchor, std::string_view words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escape_html(words));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view css) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2,
      y2, css);
}

// Places values on a logarithmic axis from kNames to the right edge.
class LogAxis {
 public:
  LogAxis(double low, double high, double right = kWidth - 20)
      : low_(std::log2(low)),
        scale_((right - kNames) / std::max(std::log2(high) - std::log2(low), 1e-9)) {}
  double x(double value) const { return kNames + (std::log2(value) - low_) * scale_; }

 private:
  double low_, scale_;
};

// A distribution and how it is drawn.
struct Curve {
  const Histogram* distribution;
  std::string css, name;
};

// How often each value was met, over a logarithmic axis; empty if none was.
std::string curves_chart(std::span<const Curve> curves, std::string_view unit, std::string_view what, std::string_view label) {
  constexpr double kHeight = 190, kBase = 160;
  int lowest = std::numeric_limits<int>::max(), highest = std::numeric_limits<int>::min();
  double most = 0;
  for (const Curve& curve : curves) {
    const auto total = static_cast<double>(curve.distribution->total());
    for (const auto& [bucket, count] : curve.distribution->counts()) {
      lowest = std::min(lowest, bucket);
      highest = std::max(highest, bucket);
      most = std::max(most, static_cast<double>(count) / total);
    }
  }
  if (most <= 0) return "";
  const LogAxis axis(Histogram::lower_bound(lowest), Histogram::lower_bound(highest + 1));
  std::string content =
      line(axis.x(Histogram::lower_bound(lowest)), kBase, kWidth - 20, kBase, "axis");
  for (int power = -3; power <= 9; ++power) {
    const double at = std::pow(10, power);
    if (at < Histogram::lower_bound(lowest) || at > Histogram::lower_bound(highest + 1)) continue;
    content += line(axis.x(at), 10, axis.x(at), kBase, "grid");
    content += text(axis.x(at), kBase + 18, "middle", fmt::format("{} {}", quantity(at), unit));
  }
  for (const Curve& curve : curves) {
    const auto& counts = curve.distribution->counts();
    const auto total = static_cast<double>(curve.distribution->total());
    std::string points;
    for (int bucket = lowest; bucket <= highest && total > 0; ++bucket) {
      const auto found = counts.find(bucket);
      const double share = found == counts.end() ? 0 : static_cast<double>(found->second) / total;
      const double y = kBase - share / most * (kBase - 15);
      points += fmt::format("{:.1f},{:.1f} {:.1f},{:.1f} ", axis.x(Histogram::lower_bound(bucket)),
                            y, axis.x(Histogram::lower_bound(bucket + 1)), y);
    }
    if (points.empty()) continue;
    content += fmt::format(
        "<polyline points=\"{}\" class=\"stroke {}\"><title>{}</title></polyline>\n", points,
        curve.css, escape_html(curve.name));
  }
  content += text(kNames - 10, 24, "end", what);
  return svg(kHeight, label, content);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string bar_chart(const Report& report, const WorkResult& result) {
  constexpr double kBar = 13, kGap = 10, kValues = 110;
  const double room = kWidth - kNames - kValues;
  std::string content;
  double y = 4;
  for (const Figure& figure : result.work->figures) {
    double greatest = 0;
    for (const SideResult& side : result.sides) {
      if (const auto* values = side.values(figure.name))
        greatest = std::max(greatest, spread(*values).max);
    }
    if (greatest <= 0) continue;
    content += text(kNames - 10, y + kBar - 2, "end", figure.name);
    for (size_t i = 0; i < result.sides.size(); ++i) {
      const auto* values = result.sides[i].values(figure.name);
      if (!values) continue;
      const Spread all = spread(*values);
      const double end = kNames + room * all.max / greatest;
      content += fmt::format(
          "<rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" class=\"fill "
          "side-{}\"><title>{}: {} {} ({}–{})</title></rect>\n",
          kNames, y, std::max(room * all.median / greatest, 1.0), kBar - 2, i,
          escape_html(report.sides[i].name), quantity(all.median), result.work->unit.name,
          quantity(all.min), quantity(all.max));
      const double middle = y + (kBar - 2) / 2;
      content += line(kNames + room * all.min / greatest, middle, end, middle, "whisker");
      content += text(end + 6, y + kBar - 3, "start",
                      fmt::format("{} {}", quantity(all.median), result.work->unit.name));
      y += kBar;
    }
    y += kGap;
  }
  return svg(y, std::string(result.work->title) + ": a bar per side", content);
}

std::string histogram_chart(const Report& report, const WorkResult& result) {
  std::vector<Curve> curves;
  for (size_t i = 0; i < result.sides.size(); ++i)
    curves.push_back({&result.sides[i].distribution, fmt::format("side-{}", i), report.sides[i].name});
  return curves_chart(curves, result.work->unit.name, "share of calls",
                      std::string(result.work->title) + ": distribution of latencies");
}

std::string hops_chart(const WorkResult& result) {
  std::vector<Curve> curves;
  for (size_t i = 0; i < result.hops.size(); ++i)
    curves.push_back({&result.hops[i].distribution, fmt::format("hop-{}", i), result.hops[i].name});
  return curves_chart(curves, "µs", "share of times", std::string(result.work->title) + ": where our host's time goes");
}

std::string speed_chart(const Report& report) {
  constexpr double kRow = 17, kTop = 30;
  // What lies further out (a native call of nanoseconds, say) would squeeze all that is of
  // interest.
  constexpr double kOutermost = 32;
  constexpr int kLastPower = 5;
  const LogAxis axis(1 / kOutermost / 1.2, kOutermost * 1.2);
  const auto x = [&](double speed) {
    return axis.x(std::clamp(speed, 1 / kOutermost, kOutermost));
  };
  std::string rows;
  double y = kTop;
  for (const WorkResult& result : report.works) {
    for (const Figure& figure : result.work->figures) {
      const auto comparisons = compare(report, result, figure);
      if (comparisons.empty()) continue;
      rows += text(kNames - 10, y + kRow / 2 + 4, "end",
                   fmt::format("{} {}", result.work->name, figure.name));
      for (const Comparison& comparison : comparisons) {
        const Spread& speed = comparison.speed;
        const bool outside = speed.median < 1 / kOutermost || speed.median > kOutermost;
        rows += line(x(speed.min), y + kRow / 2, x(speed.max), y + kRow / 2,
                     fmt::format("range side-{}", comparison.other));
        rows += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"{} side-{}\"><title>{}× as fast "
            "as {} ({}–{})"
            "</title></circle>\n",
            x(speed.median), y + kRow / 2, outside ? "hollow" : "fill", comparison.other,
            quantity(speed.median), escape_html(report.sides[comparison.other].name),
            quantity(speed.min), quantity(speed.max));
      }
      y += kRow;
    }
  }
  std::string grid;
  for (int power = -kLastPower; power <= kLastPower; ++power) {
    const double at = std::exp2(power);
    grid += line(axis.x(at), kTop - 6, axis.x(at), y, power == 0 ? "axis" : "grid");
    grid += text(axis.x(at), kTop - 12, "middle",
                 power < 0 ? fmt::format("1/{:.0f}", 1 / at) : fmt::format("{:.0f}×", at));
  }
  return svg(y + 6, "Speed compared with the other sides", grid + rows);
}

}  // namespace pvgpu::bench
