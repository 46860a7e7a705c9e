// Where a virtual machine's display is to be seen: what a user asks for, and the sink that does it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/error.h"
#include "virtio_gpu/display_sink.h"
#include "virtio_gpu/scanout.h"

namespace pvgpu::display {

struct DisplayOptions {
  enum class Kind { kNone, kPng, kVnc };
  Kind kind = Kind::kNone;
  std::string folder;        // of pictures; each machine has one of its own below
  std::string host;          // to listen at: an IPv4 address, or localhost
  uint16_t port = 0;         // the first to try; each machine has one of its own
  virtio_gpu::DisplaySize size{1280, 800};
};

// From the command line: "none", "png:FOLDER" or "vnc:HOST:PORT", and "WIDTHxHEIGHT".
Result<DisplayOptions> parse_display(const std::string& display, const std::string& size);

// Whether this system can show it: an error now rather than when the first machine comes. Makes the folder.
Result<void> check_display(const DisplayOptions& options);

// The sink of the machine with this number. nullptr if none was asked for.
Result<std::unique_ptr<virtio_gpu::DisplaySink>> open_display(const DisplayOptions& options, uint64_t machine);

}  // namespace pvgpu::display
