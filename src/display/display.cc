#include "display/display.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "display/png_sink.h"
#include "display/vnc_sink.h"
#include "observe/log.h"

namespace pvgpu::display {
namespace {

using Kind = DisplayOptions::Kind;

std::optional<uint32_t> number_in(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What lies before and behind the last `separator`.
std::optional<std::pair<std::string_view, std::string_view>> split(std::string_view text, char separator) {
  const size_t at = text.rfind(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair{text.substr(0, at), text.substr(at + 1)};
}

}  // namespace

Result<DisplayOptions> parse_display(const std::string& display, const std::string& size) {
  const auto wrong = [&] {
    return fail("--display does not know \"" + display + "\"", "use none, png:FOLDER or vnc:HOST:PORT, such as vnc:localhost:5900");
  };
  DisplayOptions options;
  if (display.starts_with("png:") && display.size() > 4) {
    options.kind = Kind::kPng;
    options.folder = display.substr(4);
  } else if (display.starts_with("vnc:")) {
    const auto parts = split(std::string_view(display).substr(4), ':');
    const auto port = parts ? number_in(parts->second) : std::nullopt;
    if (!port || *port == 0 || *port > UINT16_MAX || parts->first.empty()) return wrong();
    options.kind = Kind::kVnc;
    options.host = parts->first;
    options.port = static_cast<uint16_t>(*port);
  } else if (display != "none") {
    return wrong();
  }
  const auto sides = split(size, 'x');
  const auto width = sides ? number_in(sides->first) : std::nullopt, height = sides ? number_in(sides->second) : std::nullopt;
  options.size = {width.value_or(0), height.value_or(0)};
  if (!options.size.is_possible())
    return fail("--display-size cannot be \"" + size + "\"",
                fmt::format("use WIDTHxHEIGHT, such as 1280x800, each from {} to {}", virtio_gpu::DisplaySize::kMin, virtio_gpu::DisplaySize::kMax));
  return options;
}

Result<void> check_display(const DisplayOptions& options) {
  if (options.kind == Kind::kVnc) return check_vnc(options.host);
  if (options.kind == Kind::kNone) return {};
  if (auto possible = check_png(); !possible) return possible;
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (!error && ::access(options.folder.c_str(), W_OK | X_OK) != 0) error = {errno, std::generic_category()};
  if (error) return fail(fmt::format("cannot write to the folder {}: {}", options.folder, error.message()), "name one that you may write to");
  return {};
}

Result<std::unique_ptr<virtio_gpu::DisplaySink>> open_display(const DisplayOptions& options, uint64_t machine) {
  switch (options.kind) {
    case Kind::kNone: return nullptr;
    case Kind::kPng: {
      const auto folder = std::filesystem::path(options.folder) / fmt::format("vm-{}", machine);
      LOG_INFO("pictures of the display of machine {} are in {}", machine, folder.string());
      return open_png_sink(folder);
    }
    case Kind::kVnc: break;
  }
  auto vnc = open_vnc_sink(options.host, options.port, options.size);
  if (!vnc) return std::unexpected(vnc.error());
  LOG_INFO("the display of machine {} is at vnc://{}:{}", machine, options.host, vnc->port);
  return std::move(vnc->sink);
}

}  // namespace pvgpu::display
