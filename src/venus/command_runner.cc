#include "venus/command_runner.h"

#include <fmt/format.h>

namespace pvgpu::venus {

void poison_no_reply_slot(Call& call) {
  call.poison(PoisonReason::kNoReplyStream, "a reply was asked for before vkSetReplyCommandStreamMESA");
}

void poison_reply_overflow(Call& call, size_t room) {
  call.poison(PoisonReason::kReplyOverflow, fmt::format("the reply does not fit {} bytes", room));
}

void poison_unavailable(Call& call) {
  call.poison(PoisonReason::kUnavailableCommand, "the driver does not have it, or its extension is not enabled");
}

void poison_truncated(Call& call) { call.poison(DecodeError{PoisonReason::kTruncated, 0}); }

void poison_fixed_command(Execution& x, const char* name) {
  x.call.begin(name, false);
  x.call.poison(x.handles.error());
}

void poison_fixed_unavailable(Execution& x, const char* name) {
  x.call.begin(name, false);
  poison_unavailable(x.call);
}

}  // namespace pvgpu::venus
