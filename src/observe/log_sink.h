// Where the lines of the log go if not to standard error: for programs that have a log of their own.
#pragma once

#include <functional>

#include "observe/log.h"

namespace pvgpu::observe {

// Gets each line, printable, with neither time nor tag, ending in a zero byte. One line at a time, on any thread;
// writes no line itself.
using Sink = std::function<void(Level level, const char* line)>;

// Empty: standard error. Once it returns, the sink before is not running.
void set_sink(Sink sink);

}  // namespace pvgpu::observe
