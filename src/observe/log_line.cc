#include "observe/log_line.h"

#include <cstdint>
#include <iterator>

namespace pvgpu::observe {
namespace {

// Length of the printable UTF-8 sequence at the start of `text`, 0 if there is none: truncated,
// overlong, surrogate, out of range, or one of the C1 control characters.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t lead = byte(0);
  size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  uint32_t code = lead & (0x7f >> length);
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0xa0, 0x800, 0x10000};
  bool line_separator = code == 0x2028 || code == 0x2029;
  bool direction_override =
      (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ||
      line_separator || direction_override) {
    return 0;
  }
  return length;
}

struct Style {
  std::string_view word, colour;
};

Style style_of(Level level) {
  switch (level) {
    case Level::kTrace:
      return {"TRACE", "\x1b[2m"};
    case Level::kDebug:
      return {"DEBUG", "\x1b[36m"};
    case Level::kInfo:
      return {"INFO ", "\x1b[32m"};
    case Level::kWarn:
      return {"WARN ", "\x1b[33m"};
    case Level::kError:
    case Level::kOff:
      break;
  }
  return {"ERROR", "\x1b[1;31m"};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto byte = static_cast<uint8_t>(text[0]);
    size_t length = byte >= 0x80 ? utf8_length(text) : (byte >= 0x20 && byte != 0x7f ? 1 : 0);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
      length = 1;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string format_line(Level level, std::string_view tag, std::string_view line,
                        const timespec& wall_clock, bool colour) {
  std::tm local{};
  ::localtime_r(&wall_clock.tv_sec, &local);
  Style style = style_of(level);
  std::string out;
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}.{:03} ", local.tm_hour, local.tm_min,
                 local.tm_sec, wall_clock.tv_nsec / 1'000'000);
  if (colour) out += style.colour;
  out += style.word;
  if (colour) out += "\x1b[0m";
  out += ' ';
  if (!tag.empty()) fmt::format_to(std::back_inserter(out), "[{}] ", printable(tag));
  out += printable(line);
  out += '\n';
  return out;
}

}  // namespace pvgpu::observe
