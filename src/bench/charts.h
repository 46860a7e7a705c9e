// The charts of the HTML report, as SVG whose colours are classes of the page: side-0, side-1 …
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "bench/report.h"

namespace pvgpu::bench {

// `text` with what HTML would take for markup written as entities.
std::string escape_html(std::string_view text);

// A bar per side for each figure, as long as its median is of the figure's greatest; whiskers reach
// from the smallest to the greatest round.
std::string bar_chart(const Report& report, const WorkResult& result);
// How often each latency was met: a line per side, over a logarithmic axis.
std::string histogram_chart(const Report& report, const WorkResult& result);
// The same of the hops within our host: a line per hop, in the colours hop-0, hop-1 …; empty without any.
std::string hops_chart(const WorkResult& result);
// How many times as fast as the other sides ours is: a dot and its spread per figure of all works.
std::string speed_chart(const Report& report);

}  // namespace pvgpu::bench
