// How a line of the log looks: pure functions, apart from the file so that tests can read them.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "observe/log.h"

namespace pvgpu::observe {

// `text` with everything that could steer a terminal or fake a second line replaced: control
// characters and bytes that are not UTF-8 become \xNN. Guests choose names that end in the log.
std::string printable(std::string_view text);

// "12:34:56.789 WARN  [tag] text\n"; without "[tag] " if the tag is empty. `line` is made
// printable.
std::string format_line(Level level, std::string_view tag, std::string_view line,
                        const timespec& wall_clock, bool colour);

}  // namespace pvgpu::observe
