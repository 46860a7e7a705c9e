// Everything that a context takes in, as a file: the bytes of its streams in the order in which they were taken, and the
// resources that they name. What is in it is enough to decode the same streams again without the guest (bench/replay.h);
// what guests write into mapped memory is not in it.
//
// The file is one zstd frame. Inside, all numbers little-endian: kMagic, then events, each a header of 5 u64
// (kind, three words that depend on the kind, length) and `length` bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "platform/error.h"

namespace pvgpu::observe {

struct RecordedEvent {
  enum class Kind : uint64_t {
    kHost = 1,             // bytes: the host's devices (host::Host::profiles_as_json); the first event
    kResource = 2,         // words: id, size, id of the VkDeviceMemory or 0
    kResourceGone = 3,     // words: id
    kContextCommands = 4,  // bytes: of the context stream
    kRingCommands = 5,     // words: ring; bytes: a span that the ring has picked up
    // What vkExecuteCommandStreamsMESA names, read while the last commands of the same stream are executed.
    // words: ring (0: the context stream; guests name rings by addresses), resource, offset; bytes.
    kNestedCommands = 6,
  };
  Kind kind{};
  uint64_t words[3] = {};
  std::vector<std::byte> bytes;
};

// Writes the events of one context. Thread-safe; what is written first is first in the file. A write that fails (the disk is full)
// is logged once and ends the recording, never the context.
class Recorder {
 public:
  static Result<std::unique_ptr<Recorder>> create(const std::string& path);
  // Completes the file.
  virtual ~Recorder() = default;
  virtual void add(RecordedEvent::Kind kind, std::span<const uint64_t> words, std::span<const std::byte> bytes) = 0;
  // Brings what was added so far into the file.
  virtual void flush() = 0;

  void add(RecordedEvent::Kind kind, std::initializer_list<uint64_t> words, std::span<const std::byte> bytes = {}) {
    add(kind, std::span(words.begin(), words.size()), bytes);
  }
};

struct Recording {
  std::vector<RecordedEvent> events;
  bool whole = false;  // false: the recording program ended in the middle; the events are those before
};
Result<Recording> read_recording(const std::string& path);

// Where the recording of a server's client number `client` (from 1) goes if the first one's goes to `path`.
std::string recording_path(const std::string& path, uint64_t client);

}  // namespace pvgpu::observe
