#include "venus/command_table.h"

#include <fmt/format.h>

#include <string_view>

#include "venus/execution.h"

namespace pvgpu::venus {

// Defined by the slices.
#define PLAIN_COMMAND(number, Args, function, level, ids, member) \
  void run_##function(Execution& execution, uint32_t flags);      \
  void run_fixed_##function(Execution& execution, const std::byte* arguments);
#define CREATE_COMMAND PLAIN_COMMAND
#define DESTROY_COMMAND PLAIN_COMMAND
#define SPECIAL_COMMAND PLAIN_COMMAND
#include "protocol/commands.inc"
#undef PLAIN_COMMAND

namespace {

template <class Args>
constexpr CommandEntry entry(void (*run)(Execution&, uint32_t), void (*run_fixed)(Execution&, const std::byte*) = nullptr) {
  const bool fixed = run_fixed && kIsFixedCommand<Args>;
  return {run, fixed ? run_fixed : nullptr, fixed ? kHeaderBytes + Args::kRequestBytes : SIZE_MAX,
          std::string_view(Args::kName).starts_with("vkCmd")};
}

}  // namespace

constinit const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable = [] {
  std::array<CommandEntry, protocol::kCommandLimit> table;
  table.fill({nullptr, nullptr, SIZE_MAX, false});
#undef CREATE_COMMAND
#undef DESTROY_COMMAND
#undef SPECIAL_COMMAND
#define PLAIN_COMMAND(number, Args, function, level, ids, member) \
  table[number] = entry<protocol::Args>(&run_##function, &run_fixed_##function);
#define CREATE_COMMAND(number, Args, function, level, ids, member) table[number] = entry<protocol::Args>(&run_##function);
#define DESTROY_COMMAND CREATE_COMMAND
#define SPECIAL_COMMAND CREATE_COMMAND
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
