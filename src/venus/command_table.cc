#include "venus/command_table.h"

#include <fmt/format.h>

#include <string_view>

#include "venus/codec/request_size.h"
#include "venus/execution.h"

namespace pvgpu::venus {

// Defined by the slices.
#define PLAIN_COMMAND(number, Args, function, level, ids, member) \
  void run_##function(Execution& execution, uint32_t flags);      \
  void run_##function##_quickly(Execution& execution, const std::byte* arguments, size_t slack);
#define CREATE_COMMAND PLAIN_COMMAND
#define DESTROY_COMMAND PLAIN_COMMAND
#define SPECIAL_COMMAND PLAIN_COMMAND
#include "protocol/commands.inc"
#undef PLAIN_COMMAND

namespace {

template <class Args, auto run, auto run_quick>
constexpr CommandEntry entry() {
  const bool recorded = std::string_view(Args::kName).starts_with("vkCmd");
  if constexpr (kIsQuickCommand<Args>) {
    return {run, run_quick, kHeaderBytes + kRequestSize<Args>.least, recorded};
  } else {
    return {run, nullptr, SIZE_MAX, recorded};
  }
}

}  // namespace

constinit const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable = [] {
  std::array<CommandEntry, protocol::kCommandLimit> table;
  table.fill({nullptr, nullptr, SIZE_MAX, false});
#define PLAIN_COMMAND(number, Args, function, level, ids, member) \
  table[number] = entry<protocol::Args, run_##function, run_##function##_quickly>();
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
