#include "venus/stream.h"

#include <fmt/format.h>

#include <cstring>

#include "observe/latency.h"
#include "observe/log.h"
#include "observe/recording.h"
#include "venus/codec/printer.h"
#include "venus/command_table.h"
#include "venus/execution.h"

namespace pvgpu::venus {
namespace {

constexpr size_t kHeaderBytes = 8;
// Recorded commands that may be told of together: a guest that waits for room in its ring should not wait long.
constexpr uint32_t kMostUntold = 32;

// A stream is copied before it is read; guests' own are 8 MiB at most, unless one command is larger.
constexpr size_t kMaxNestedStream = size_t{256} << 20;
constexpr size_t kKeptNestedStream = size_t{16} << 20;

void trace(Ring* ring, const wire::Reader& reader) {
  const std::string text = print_command({reader.position(), reader.remaining()}).text;
  if (ring) {
    LOG_TRACE("ring {:#x}: {}", ring->id(), text);
  } else {
    LOG_TRACE("context stream: {}", text);
  }
}

}  // namespace

bool Stream::execute(std::span<const std::byte> bytes, StreamProgress* progress) {
  const bool tracing = observe::enabled(observe::Level::kTrace);
  Execution x(*this, bytes);
  wire::Arena& memory = arena();
  const uint32_t timed = hops_ ? kTimed : 0;
  uint32_t untold = 0;  // commands executed that `progress` does not know of
  while (x.reader.remaining() > 0) {
    if (tracing) [[unlikely]] trace(ring_, x.reader);
    const std::byte* header = x.reader.bytes(kHeaderBytes);
    if (!header) [[unlikely]] {
      context_.poison({PoisonReason::kTruncated, "a command header ends early"});
      return false;
    }
    uint32_t number, flags;
    std::memcpy(&number, header, sizeof number);
    std::memcpy(&flags, header + sizeof number, sizeof flags);
    if (number >= kCommandTable.size() || !kCommandTable[number].run) [[unlikely]] {
      context_.poison(refuse_command(number));
      return false;
    }
    const CommandEntry& command = kCommandTable[number];
    if (untold != 0 && !command.recorded) {
      progress->executed(static_cast<size_t>(header - bytes.data()));
      untold = 0;
    }
    command.run(x, flags | timed);
    memory.reset();
    if (context_.is_poisoned()) [[unlikely]] return false;
    if (!progress) continue;
    if (command.recorded && ++untold < kMostUntold) continue;
    progress->executed(static_cast<size_t>(x.reader.position() - bytes.data()));
    untold = 0;
  }
  if (untold != 0) progress->executed(bytes.size());
  return true;
}

void Stream::mark(observe::Hop hop) {
  if (hops_ && !nested()) hops_->mark(hop);
}

bool Stream::execute_nested(const Resource& resource, std::span<const std::byte> shared) {
  if (shared.size() > kMaxNestedStream) {
    context_.poison({PoisonReason::kLimitExceeded,
                     fmt::format("vkExecuteCommandStreamsMESA: a stream of {} bytes", shared.size())});
    return false;
  }
  // One copy, so that the guest cannot change the bytes between a check and a use.
  nested_copy_.resize(std::max(nested_copy_.size(), shared.size()));
  std::memcpy(nested_copy_.data(), shared.data(), shared.size());
  if (observe::Recorder* recorder = context_.recorder()) [[unlikely]]
    recorder->add(observe::RecordedEvent::Kind::kNestedCommands,
                  {ring_ ? ring_->id() : 0, resource.id, static_cast<uint64_t>(shared.data() - resource.memory.data())},
                  {nested_copy_.data(), shared.size()});
  ++depth_;
  const bool fine = execute({nested_copy_.data(), shared.size()});
  --depth_;
  if (nested_copy_.size() > kKeptNestedStream) nested_copy_ = {};
  return fine;
}

}  // namespace pvgpu::venus
