// One command from bytes to reply, as templates over its argument structure: decode, make the call (or
// let a handler of commands/ do it), encode. Instantiated by command_table.cc and its parts.
#pragma once

#include <cstring>
#include <string_view>
#include <type_traits>

#include "protocol/fields.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/codec/encoder.h"
#include "venus/codec/straight_decoder.h"
#include "venus/execution.h"

namespace pvgpu::venus {

// VkCommandFlagBitsEXT.
inline constexpr uint32_t kGenerateReply = 1;

// Rare ways out, kept out of the commands' functions.
void poison_no_reply_slot(Call& call);
void poison_reply_overflow(Call& call, size_t room);
void poison_unavailable(Call& call);

template <class Args>
[[gnu::noinline]] void write_reply(Call& call, Args& args) {
  Stream& stream = call.stream();
  if (!stream.has_reply_slot()) return poison_no_reply_slot(call);
  wire::Writer writer(stream.reply_space());
  Encoder encoder(writer);
  writer.u32(Args::kCommand);
  protocol::reply(encoder, args);
  if (writer.overflowed()) return poison_reply_overflow(call, stream.reply_space().size());
  stream.reply_written(writer.written());
}

// False: the context is poisoned. With kIds, all handles but the first stay ids.
template <class Args, bool kIds>
[[gnu::always_inline]] inline bool decode(Execution& x, Args& args) {
  if constexpr (kRequestSize<Args>.straight && !kIsQuickCommand<Args>) {  // what fails as a quick command comes here for the reason
    constexpr size_t kLeast = kRequestSize<Args>.least;
    if (x.reader.remaining() >= kLeast) [[likely]] {
      StraightDecoder<ContextHandles, kIds> decoder(x.reader.position(), x.reader.remaining() - kLeast, x.handles, x.arena);
      protocol::request(decoder, args);
      if (!decoder.failed()) [[likely]] {
        x.reader.skip_to(decoder.position());
        return true;
      }
      x.call.set_dispatch(nullptr);
    }
  }
  if constexpr (kIds) x.handles.keep_ids(true);
  protocol::request(x.decoder, args);
  if constexpr (kIds) x.handles.keep_ids(false);
  if (!x.decoder.failed()) [[likely]] return true;
  x.call.poison(x.decoder.error());
  return false;
}

// False: not to be run this way. See CommandEntry::run_quick.
template <class Args>
[[gnu::always_inline]] inline bool decode_quickly(Execution& x, Args& args, const std::byte* arguments, size_t slack) {
  const Object& commands = *x.call.dispatch();  // Stream::execute has looked it up
  StraightDecoder decoder(arguments, slack, x.handles, x.arena, commands.handle, commands.owner);
  protocol::request(decoder, args);
  x.next = decoder.failed() ? nullptr : decoder.position();
  return x.next != nullptr;
}

// Ends in the driver's function itself.
template <class Args, class Select>
[[gnu::always_inline]] inline void run_quickly(Execution& x, const std::byte* arguments, size_t slack, Select select) {
  Args args;
  if (!decode_quickly(x, args, arguments, slack)) [[unlikely]] return;
  const auto function = select(x.call);
  if (!function) [[unlikely]] {
    x.next = nullptr;
    return;
  }
  args.call(function);
}

// The same with a handler of ours.
template <class Args, class Execute>
[[gnu::always_inline]] inline void handle_quickly(Execution& x, const std::byte* arguments, size_t slack, Execute execute) {
  Args args;
  if (!decode_quickly(x, args, arguments, slack)) [[unlikely]] return;
  x.call.begin(Args::kName, false, x.call.dispatch());
  execute(x.call, args);
  if (x.call.poisoned()) [[unlikely]] x.next = nullptr;
}

// Recorded commands (vkCmd*) are too short for a clock: runs of them are timed, in Ring.
template <class Args>
inline constexpr uint32_t kTimedFlag = std::string_view(Args::kName).starts_with("vkCmd") ? 0 : kTimed;
template <class Args>
inline constexpr observe::Hop kExecutionHop =
    std::is_same_v<Args, protocol::ExecuteCommandStreamsMESAArgs> ? observe::Hop::kStreams : observe::Hop::kDriver;

// What goes wrong poisons the context, which Stream::execute sees.
template <class Args, bool kIds, class Execute>
[[gnu::always_inline]] inline void run_command(Execution& x, uint32_t flags, Execute execute) {
  Args args;
  Call& call = x.call;
  call.begin(Args::kName, flags & kGenerateReply);
  if (!decode<Args, kIds>(x, args)) [[unlikely]] return;
  if (flags & kTimedFlag<Args>) [[unlikely]] call.stream().mark(observe::Hop::kDecode);
  execute(call, args);
  if ((flags & (kGenerateReply | kTimedFlag<Args>)) && !call.poisoned()) [[unlikely]] {
    if (flags & kTimedFlag<Args>) call.stream().mark(kExecutionHop<Args>);
    if (flags & kGenerateReply) write_reply(call, args);
  }
}

// The driver's function, or a poison that names the command: the guest must not use what it has not enabled.
template <class Function>
[[gnu::always_inline]] inline bool available(Call& call, Function function) {
  if (function) [[likely]] return true;
  poison_unavailable(call);
  return false;
}

template <class Args>
void report(Call& call, Args& args) {
  if constexpr (requires { { args.ret } -> std::same_as<VkResult&>; })
    if (args.ret < 0 && !call.wants_reply()) [[unlikely]] call.report_lost_result(args.ret);
}

}  // namespace pvgpu::venus
