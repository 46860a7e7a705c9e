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

// Recorded commands that may be told of together: a guest that waits for room in its ring should not wait long.
constexpr uint32_t kMostUntold = 32;

// A stream is copied before it is read; guests' own are 8 MiB at most, unless one command is larger.
constexpr size_t kMaxNestedStream = size_t{256} << 20;
constexpr size_t kKeptNestedStream = size_t{16} << 20;

void trace(Ring* ring, std::span<const std::byte> bytes) {
  const std::string text = print_command(bytes).text;
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
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  uint32_t untold = 0;  // commands executed that `progress` does not know of
  const auto tell = [&untold, progress, &bytes](const std::byte* position) {
    if (progress && untold != 0) progress->executed(static_cast<size_t>(position - bytes.data()));
    untold = 0;
  };
  const auto refuse = [this](uint32_t number) {
    context_.poison(refuse_command(number));
    return false;
  };
  while (at != end) {
    const auto left = static_cast<size_t>(end - at);
    if (left < kHeaderBytes) [[unlikely]] {
      context_.poison({PoisonReason::kTruncated, "a command header ends early"});
      return false;
    }
    if (tracing) [[unlikely]] trace(ring_, {at, left});
    uint64_t header;
    std::memcpy(&header, at, sizeof header);
    const auto number = static_cast<uint32_t>(header);
    const auto flags = static_cast<uint32_t>(header >> 32);
    if (number >= kCommandTable.size()) [[unlikely]] return refuse(number);
    const CommandEntry* const command = kCommandTable.data() + number;
    if (left >= command->fixed_bytes && flags == 0) [[likely]] {
      const std::byte* arguments = at + kHeaderBytes;
      uint64_t commands;
      std::memcpy(&commands, arguments, sizeof commands);
      if (!x.handles.dispatch_commands(commands)) [[unlikely]] {
        poison_fixed_command(x, protocol::command_name(number));
        return false;
      }
      at += command->fixed_bytes;
      command->run_fixed(x, arguments);
      if (x.call.poisoned()) [[unlikely]] return false;
      if (++untold == kMostUntold) tell(at);
      continue;
    }
    if (!command->run) [[unlikely]] return refuse(number);
    if (!command->recorded) tell(at);
    x.reader.skip_to(at + kHeaderBytes);
    command->run(x, flags | timed);
    at = x.reader.position();
    memory.reset();
    if (context_.is_poisoned()) [[unlikely]] return false;
    if (++untold == kMostUntold || !command->recorded) tell(at);
  }
  tell(end);
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
