// One command from bytes to reply, as templates over its argument structure: decode, make the call (or
// let a handler of commands/ do it), encode. Instantiated by command_table.cc and its parts.
#pragma once

#include <fmt/format.h>

#include "protocol/fields.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/codec/encoder.h"
#include "venus/context_impl.h"
#include "venus/handles.h"

namespace pvgpu::venus {

// VkCommandFlagBitsEXT.
inline constexpr uint32_t kGenerateReply = 1;

template <class Args>
bool write_reply(Call& call, Args& args) {
  Stream& stream = call.stream();
  if (!stream.has_reply_slot()) {
    call.poison(PoisonReason::kNoReplyStream, "a reply was asked for before vkSetReplyCommandStreamMESA");
    return false;
  }
  wire::Writer writer(stream.reply_space());
  Encoder encoder(writer);
  writer.u32(Args::kCommand);
  protocol::reply(encoder, args);
  if (writer.overflowed()) {
    call.poison(PoisonReason::kReplyOverflow, fmt::format("the reply does not fit {} bytes", stream.reply_space().size()));
    return false;
  }
  stream.reply_written(writer.written());
  return true;
}

template <class Args, bool kIds, class Execute>
bool run_command(Stream& stream, wire::Reader& reader, uint32_t flags, Execute execute) {
  Args args;
  Call call(stream, Args::kName, flags & kGenerateReply);
  ContextHandles handles(stream.context().objects(), call, kIds);
  HostDecoder decoder(reader, stream.arena(), handles);
  protocol::request(decoder, args);
  if (decoder.failed()) [[unlikely]] {
    call.poison(decoder.error());
    return false;
  }
  execute(call, args);
  if (call.poisoned()) [[unlikely]] return false;
  return !(flags & kGenerateReply) || write_reply(call, args);
}

// The driver's function, or a poison that names the command: the guest must not use what it has not enabled.
template <class Function>
bool available(Call& call, Function function) {
  if (function) [[likely]] return true;
  call.poison(PoisonReason::kUnavailableCommand, "the driver does not have it, or its extension is not enabled");
  return false;
}

template <class Args>
void report(Call& call, Args& args) {
  if constexpr (requires { { args.ret } -> std::same_as<VkResult&>; })
    if (args.ret < 0 && !call.wants_reply()) [[unlikely]] call.report_lost_result(args.ret);
}

}  // namespace pvgpu::venus
