#include "venus/stream.h"

#include <fmt/format.h>

#include <cstring>

#include "observe/log.h"
#include "venus/codec/printer.h"
#include "venus/command_table.h"
#include "venus/context_impl.h"

namespace pvgpu::venus {
namespace {

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

bool Stream::execute_one(wire::Reader& reader) {
  if (observe::enabled(observe::Level::kTrace)) [[unlikely]] trace(ring_, reader);
  const uint32_t number = reader.u32();
  const uint32_t flags = reader.u32();
  if (reader.failed()) {
    context_.poison({PoisonReason::kTruncated, "a command header ends early"});
    return false;
  }
  const CommandFunction function = number < kCommandTable.size() ? kCommandTable[number] : nullptr;
  if (!function) [[unlikely]] {
    context_.poison(refuse_command(number));
    return false;
  }
  const bool fine = function(*this, reader, flags);
  arena().reset();
  return fine && !context_.is_poisoned();
}

bool Stream::execute_nested(std::span<const std::byte> shared) {
  if (shared.size() > kMaxNestedStream) {
    context_.poison({PoisonReason::kLimitExceeded,
                     fmt::format("vkExecuteCommandStreamsMESA: a stream of {} bytes", shared.size())});
    return false;
  }
  // One copy, so that the guest cannot change the bytes between a check and a use.
  nested_copy_.resize(std::max(nested_copy_.size(), shared.size()));
  std::memcpy(nested_copy_.data(), shared.data(), shared.size());
  ++depth_;
  const bool fine = execute({nested_copy_.data(), shared.size()}, [](size_t) {});
  --depth_;
  if (nested_copy_.size() > kKeptNestedStream) nested_copy_ = {};
  return fine;
}

}  // namespace pvgpu::venus
