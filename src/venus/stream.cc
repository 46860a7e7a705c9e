#include "venus/stream.h"

#include <fmt/format.h>

#include <cstring>

#include "venus/command_table.h"
#include "venus/context_impl.h"

namespace pvgpu::venus {

bool Stream::execute_one(wire::Reader& reader) {
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
  // One copy, so that the guest cannot change the bytes between a check and a use.
  nested_copy_.resize(std::max(nested_copy_.size(), shared.size()));
  std::memcpy(nested_copy_.data(), shared.data(), shared.size());
  ++depth_;
  const bool fine = execute({nested_copy_.data(), shared.size()}, [](size_t) {});
  --depth_;
  return fine;
}

}  // namespace pvgpu::venus
