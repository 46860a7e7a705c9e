#include "venus/command_table.h"

#include <fmt/format.h>

#include "venus/command_runner.h"

namespace pvgpu::venus {
namespace {

// Where a command's function lives: on the instance's or the device's dispatch table.
#define DISPATCH_instance(call, function) (call).instance().vk.function
#define DISPATCH_device(call, function) (call).device().vk.function

// protocol/commands.inc names every command once; what it expands to depends on its handling.
#define PLAIN_COMMAND(number, Args, function, level, ids, member)                                        \
  bool run_##function(Stream& stream, wire::Reader& reader, uint32_t flags) {                            \
    return run_command<protocol::Args, ids>(stream, reader, flags, [](Call& call, protocol::Args& args) { \
      const auto f = DISPATCH_##level(call, function);                                                   \
      if (!available(call, f)) return;                                                                   \
      args.call(f);                                                                                      \
      report(call, args);                                                                                \
    });                                                                                                  \
  }
#define CREATE_COMMAND(number, Args, function, level, ids, member)                                       \
  bool run_##function(Stream& stream, wire::Reader& reader, uint32_t flags) {                            \
    return run_command<protocol::Args, ids>(stream, reader, flags, [](Call& call, protocol::Args& args) { \
      const auto id = *args.member;                                                                      \
      const auto f = DISPATCH_##level(call, function);                                                   \
      if (!available(call, f) || !call.check_new_id(std::bit_cast<uint64_t>(id))) return;                \
      args.call(f);                                                                                      \
      *args.member = call.created(id, args.ret, *args.member);                                           \
    });                                                                                                  \
  }
#define DESTROY_COMMAND(number, Args, function, level, ids, member)                                      \
  bool run_##function(Stream& stream, wire::Reader& reader, uint32_t flags) {                            \
    return run_command<protocol::Args, ids>(stream, reader, flags, [](Call& call, protocol::Args& args) { \
      if (!args.member) return;                                                                          \
      Object* object = call.find(args.member);                                                           \
      const auto f = DISPATCH_##level(call, function);                                                   \
      if (!object || !available(call, f)) return;                                                        \
      args.member = std::bit_cast<decltype(args.member)>(object->handle);                                \
      call.context().objects().erase(object);                                                            \
      if (args.member) args.call(f);                                                                     \
    });                                                                                                  \
  }
#define SPECIAL_COMMAND(number, Args, function, level, ids, member)                                      \
  bool run_##function(Stream& stream, wire::Reader& reader, uint32_t flags) {                            \
    return run_command<protocol::Args, ids>(stream, reader, flags, [](Call& call, protocol::Args& args) { \
      handle(call, args);                                                                                \
      report(call, args);                                                                                \
    });                                                                                                  \
  }
#include "protocol/commands.inc"
#undef PLAIN_COMMAND
#undef CREATE_COMMAND
#undef DESTROY_COMMAND
#undef SPECIAL_COMMAND

}  // namespace

const std::array<CommandFunction, protocol::kCommandLimit> kCommandTable = [] {
  std::array<CommandFunction, protocol::kCommandLimit> table{};
#define PLAIN_COMMAND(number, Args, function, level, ids, member) table[number] = &run_##function;
#define CREATE_COMMAND PLAIN_COMMAND
#define DESTROY_COMMAND PLAIN_COMMAND
#define SPECIAL_COMMAND PLAIN_COMMAND
#include "protocol/commands.inc"
  return table;
}();

Poison refuse_command(uint32_t number) {
  const char* name = protocol::command_name(number);
  if (const char* why = protocol::never_reason(number))
    return {PoisonReason::kForbiddenCommand, fmt::format("{} ({}) never travels: it {}", name, number, why)};
  if (name)
    return {PoisonReason::kUnknownCommand,
            fmt::format("{} ({}) is not in the registry that this build was made from", name, number)};
  return {PoisonReason::kUnknownCommand, fmt::format("command number {} is not known", number)};
}

}  // namespace pvgpu::venus
