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
#include "venus/execution.h"

namespace pvgpu::venus {

// VkCommandFlagBitsEXT.
inline constexpr uint32_t kGenerateReply = 1;

// Rare ways out, kept out of the commands' functions.
void poison_no_reply_slot(Call& call);
void poison_reply_overflow(Call& call, size_t room);
void poison_unavailable(Call& call);
void poison_truncated(Call& call);
void poison_fixed_unavailable(Execution& x, const char* name);

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

// Reads arguments of which the size is known before, so that one look at the end is enough. Each command's arguments are read in
// one place only, so that the compiler puts it all there.
class FixedDecoder {
 public:
  // `dispatch`: the first handle, if it has been looked up.
  FixedDecoder(const std::byte* at, ContextHandles& handles, const Object* dispatch = nullptr)
      : at_(at), handles_(handles), dispatch_(dispatch) {}

  bool failed() const { return failed_; }
  template <class T>
  [[gnu::always_inline]] void scalar(T& value) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
  }
  template <class H>
  [[gnu::always_inline]] void handle(H& value, uint32_t flags) {
    uint64_t id;
    scalar(id);
    bool found = true;
    if (!first_) {
      // After a failure nothing is looked up any more.
      found = !failed_ && handles_.translate_other(id, flags & protocol::kNullElements, value);
    } else if (dispatch_) {
      value = std::bit_cast<H>(dispatch_->handle);
    } else {
      found = handles_.dispatch(id, value);
    }
    first_ = false;
    failed_ |= !found;
  }
  template <class T>
  [[gnu::always_inline]] void structure(T& value) {
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
  }

 private:
  const std::byte* at_;
  ContextHandles& handles_;
  const Object* dispatch_;
  bool first_ = true;
  bool failed_ = false;
};

// False: the context is poisoned.
template <class Args>
[[gnu::always_inline]] inline bool decode(Execution& x, Args& args) {
  if constexpr (Args::kRequestBytes != 0 && !kIsFixedCommand<Args>) {  // fixed commands come here for a reply only
    const std::byte* bytes = x.reader.bytes(Args::kRequestBytes);
    if (!bytes) [[unlikely]] {
      poison_truncated(x.call);
      return false;
    }
    FixedDecoder decoder(bytes, x.handles);
    protocol::request(decoder, args);
    if (!decoder.failed()) [[likely]] return true;
    x.call.poison(x.handles.error());
    return false;
  } else {
    protocol::request(x.decoder, args);
    if (!x.decoder.failed()) [[likely]] return true;
    x.call.poison(x.decoder.error());
    return false;
  }
}

// A recorded command, all of whose arguments have been found to be there, and whose command buffer is the call's dispatch object.
// It ends in the driver's function itself.
template <class Args, class Select>
[[gnu::always_inline]] inline void run_fixed_command(Execution& x, const std::byte* arguments, Select select) {
  Args args;
  const Object* commands = x.call.dispatch();
  [[assume(commands != nullptr)]];  // Stream::execute has looked it up
  FixedDecoder decoder(arguments, x.handles, commands);
  protocol::request(decoder, args);
  if (decoder.failed()) [[unlikely]] return poison_fixed_command(x, Args::kName);
  const auto function = select(x.call);
  if (!function) [[unlikely]] return poison_fixed_unavailable(x, Args::kName);
  args.call(function);
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
  if constexpr (kIds) x.handles.keep_ids(true);
  if (!decode(x, args)) [[unlikely]] return;
  if constexpr (kIds) x.handles.keep_ids(false);
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
