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

}  // namespace pvgpu::venus
