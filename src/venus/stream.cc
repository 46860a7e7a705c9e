#include "venus/stream.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "observe/latency.h"
#include "observe/log.h"
#include "observe/recording.h"
#include "venus/codec/printer.h"
#include "venus/codec/request_length.h"
#include "venus/command_table.h"
#include "venus/execution.h"

namespace pvgpu::venus {
namespace {

// Recorded commands of so many bytes may be told of together: a guest that waits for room in its ring should not wait long.
constexpr ptrdiff_t kMostUntold = 1024;
constexpr ptrdiff_t kHeader = kHeaderBytes;

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

// Where the recording of a command buffer that begins at `at` ends, if all of it lies before `end` and is as it mostly is; or nullptr.
const std::byte* end_of_recording(const std::byte* at, const std::byte* end) {
  constexpr size_t kBegin = kHeaderBytes + kRequestSize<protocol::BeginCommandBufferArgs>.least;
  constexpr size_t kEnd = kHeaderBytes + kRequestSize<protocol::EndCommandBufferArgs>.least;
  if (static_cast<size_t>(end - at) < kBegin) return nullptr;
  uint64_t commands;
  std::memcpy(&commands, at + kHeaderBytes, sizeof commands);
  at += kHeaderBytes;
  const size_t begin = request_length<protocol::BeginCommandBufferArgs>(at, static_cast<size_t>(end - at) - (kBegin - kHeaderBytes));
  if (begin == 0) return nullptr;
  at += begin;
  for (;;) {
    const auto left = static_cast<size_t>(end - at);
    if (left < kEnd) return nullptr;  // no command of a recording is shorter
    uint64_t header, id;
    std::memcpy(&header, at, sizeof header);
    std::memcpy(&id, at + kHeaderBytes, sizeof id);
    if (id != commands) return nullptr;
    if (header == protocol::EndCommandBufferArgs::kCommand) return at + kEnd;
    if (header >= kCommandTable.size() || left < kCommandTable[header].least_bytes) return nullptr;
    const size_t length = kRequestLengths[header](at + kHeaderBytes, left - kCommandTable[header].least_bytes);
    if (length == 0) return nullptr;
    at += kHeaderBytes + length;
  }
}

// Executes recorded commands without replies from `at` on, as long as they are as they mostly are and begin at `last` at most.
// Returns where the first other command begins, or what comes behind them.
// Not inlined: what the loop needs shall stay in registers.
[[gnu::noinline]] const std::byte* execute_quickly(Execution& x, const std::byte* at, const std::byte* last, const std::byte* end) {
  if (at > last) return at;
  const Object* commands = x.handles.last();  // the command buffer, mostly
  x.call.set_dispatch(x.handles.last());
  do {
    uint64_t header;
    std::memcpy(&header, at, sizeof header);
    if (header >= kCommandTable.size()) [[unlikely]] return at;  // no such number, or flags
    const CommandEntry& command = kCommandTable[header];
    const auto left = static_cast<size_t>(end - at);
    if (left < command.least_bytes) return at;
    uint64_t id;
    std::memcpy(&id, at + kHeaderBytes, sizeof id);
    if (!commands->is_still(id, VK_OBJECT_TYPE_COMMAND_BUFFER)) [[unlikely]] {
      commands = x.handles.dispatch_on<VkCommandBuffer>(id);
      if (!commands) return at;
    }
    command.run_quick(x, at + kHeaderBytes, left - command.least_bytes);
    if (!x.next) [[unlikely]] return at;
    at = x.next;
  } while (at <= last);
  return at;
}

}  // namespace

bool Stream::execute(std::span<const std::byte> bytes, StreamProgress* progress) {
  const bool tracing = observe::enabled(observe::Level::kTrace);
  Execution x(*this, bytes);
  const uint32_t timed = hops_ ? kTimed : 0;
  // Headers below this have a number that is known and no flags.
  const uint64_t quick_limit = tracing ? 0 : kCommandTable.size();
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  const std::byte* told = at;  // what `progress` knows of
  const auto tell = [&told, progress, &bytes](const std::byte* position) {
    if (progress && position != told) progress->executed(static_cast<size_t>(position - bytes.data()));
    told = position;
  };
  while (end - at >= kHeader) {
    uint64_t header;
    std::memcpy(&header, at, sizeof header);
    if (header < quick_limit && kCommandTable[header].run_quick) {
      const std::byte* const last = at + std::min(end - at - kHeader, told + kMostUntold - at);
      at = execute_quickly(x, at, last, end);
      if (x.call.poisoned()) [[unlikely]] return false;
      if (at > last) {
        if (at - told > kMostUntold) tell(at);
        continue;
      }
      std::memcpy(&header, at, sizeof header);
    }
    if (tracing) [[unlikely]] trace(ring_, {at, end});
    const auto number = static_cast<uint32_t>(header);
    const CommandEntry* const command = number < kCommandTable.size() ? &kCommandTable[number] : nullptr;
    if (!command || !command->run) [[unlikely]] {
      context_.poison(refuse_command(number));
      return false;
    }
    if (!command->recorded) tell(at);
    if (header == protocol::BeginCommandBufferArgs::kCommand && !nested()) {
      if (const size_t recorded = record_on_lane({at, end})) {
        at += recorded;
        tell(at);
        continue;
      }
    }
    if (lanes_ && !before_) keep_order(*command, {at, end});
    x.reader.skip_to(at + kHeaderBytes);
    command->run(x, static_cast<uint32_t>(header >> 32) | timed);
    const std::byte* const start = std::exchange(at, x.reader.position());
    x.arena.reset();
    if (context_.is_poisoned()) [[unlikely]] return false;
    if (x.call.postponed()) [[unlikely]] lanes_->follow({start, at}, x.call.postponed_fence());
    if (!command->recorded || at - told > kMostUntold) tell(at);
  }
  if (at != end) {
    context_.poison({PoisonReason::kTruncated, "a command header ends early"});
    return false;
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

// Guests may have several command buffers open at a time, and their pools are then in use here.
RecordingLanes* Stream::free_lanes() {
  return lanes_ && !before_ && open_recordings_ == 0 && !observe::enabled(observe::Level::kTrace) ? lanes_ : nullptr;
}

// Hands the recording at the start of `bytes` to a lane and returns its length. 0: it is executed here.
size_t Stream::record_on_lane(std::span<const std::byte> bytes) {
  RecordingLanes* const lanes = free_lanes();
  if (!lanes) return 0;
  const std::byte* const end = end_of_recording(bytes.data(), bytes.data() + bytes.size());
  const size_t size = end ? static_cast<size_t>(end - bytes.data()) : 0;
  if (size == 0) return 0;
  const Object* const pool = pool_for(kCommandTable[protocol::BeginCommandBufferArgs::kCommand], bytes);
  if (!pool || !lanes->ready(pool, size)) return 0;
  RecordingLanes::Bytes commands = lanes->take(size);
  std::memcpy(commands.data.get(), bytes.data(), size);
  lanes->record(pool, std::move(commands));
  return size;
}

void Stream::wait_for_lanes() {
  if (lanes_) before_ ? lanes_->wait(*before_) : lanes_->wait();
}

bool Stream::execute_on_lane(RecordingLanes& lanes, const RecordingLanes::Moment& before, std::span<const std::byte> bytes) {
  lanes_ = &lanes;
  before_ = &before;
  depth_ = 1;
  return execute(bytes);
}

// Makes the command at the start of `bytes` wait for what lanes still do, as far as it must.
void Stream::keep_order(const CommandEntry& command, std::span<const std::byte> bytes) {
  if (command.order == CommandOrder::kBeginsRecording) ++open_recordings_;
  if (command.order == CommandOrder::kEndsRecording && open_recordings_ != 0) --open_recordings_;
  if (!lanes_->busy()) return;
  switch (command.order) {
    case CommandOrder::kAfterAll:
      return lanes_->wait();
    case CommandOrder::kBeginsRecording:
    case CommandOrder::kAfterItsBuffers:
    case CommandOrder::kAfterItsPools:
      return lanes_->wait_for_pool(pool_for(command, bytes));
    case CommandOrder::kEndsRecording:
    case CommandOrder::kAny:
    case CommandOrder::kSeesToIt:
      return;
  }
}

// The pool that the command is about; nullptr: none, which the command will be refused for.
const Object* Stream::pool_for(const CommandEntry& command, std::span<const std::byte> bytes) {
  const bool names_pool = command.order == CommandOrder::kAfterItsPools;
  const size_t at = kHeaderBytes + (names_pool ? sizeof(uint64_t) : 0);  // behind the device
  uint64_t id = 0;
  if (bytes.size() >= at + sizeof id) std::memcpy(&id, bytes.data() + at, sizeof id);
  const Object* object = context_.objects().find(id);
  if (!object || names_pool) return object;
  return object->type == VK_OBJECT_TYPE_COMMAND_BUFFER ? pool_of(*object) : nullptr;
}

}  // namespace pvgpu::venus
