#include "venus/command_table.h"

#include <fmt/format.h>

#include <string_view>

#include "venus/codec/request_length.h"
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

constexpr CommandOrder order_of(std::string_view name) {
  if (name == "vkBeginCommandBuffer") return CommandOrder::kBeginsRecording;
  if (name == "vkEndCommandBuffer") return CommandOrder::kEndsRecording;
  if (name == "vkResetCommandBuffer") return CommandOrder::kAfterItsBuffers;
  if (name == "vkResetCommandPool" || name == "vkTrimCommandPool") return CommandOrder::kAfterItsPools;
  for (const std::string_view knows : {"vkQueueSubmit", "vkQueueSubmit2", "vkExecuteCommandStreamsMESA"})
    if (name == knows) return CommandOrder::kSeesToIt;
  // Recorded commands belong to a command buffer that was begun here; vkCmdExecuteCommands waits by itself. What is asked about fences
  // and semaphores is asked again until it is so, and nothing that is created or filled in can be in use.
  for (const std::string_view prefix : {"vkCmd", "vkCreate", "vkGetPhysicalDevice", "vkUpdateDescriptorSet"})
    if (name.starts_with(prefix)) return CommandOrder::kAny;
  for (const std::string_view any :
       {"vkGetFenceStatus", "vkWaitForFences", "vkResetFences", "vkGetSemaphoreCounterValue", "vkWaitSemaphores", "vkSignalSemaphore",
        "vkGetEventStatus", "vkAllocateMemory", "vkAllocateDescriptorSets", "vkBindBufferMemory", "vkBindBufferMemory2",
        "vkBindImageMemory", "vkBindImageMemory2", "vkGetBufferMemoryRequirements", "vkGetBufferMemoryRequirements2",
        "vkGetImageMemoryRequirements", "vkGetImageMemoryRequirements2", "vkGetDeviceBufferMemoryRequirements",
        "vkGetDeviceImageMemoryRequirements", "vkGetImageSubresourceLayout", "vkGetBufferDeviceAddress",
        "vkGetMemoryResourcePropertiesMESA", "vkSetReplyCommandStreamMESA", "vkSeekReplyCommandStreamMESA"})
    if (name == any) return CommandOrder::kAny;
  return CommandOrder::kAfterAll;
}

template <class Args, auto run, auto run_quick>
constexpr CommandEntry entry() {
  const bool recorded = std::string_view(Args::kName).starts_with("vkCmd");
  if constexpr (kIsQuickCommand<Args>) {
    return {run, run_quick, kHeaderBytes + kRequestSize<Args>.least, recorded, order_of(Args::kName)};
  } else {
    return {run, nullptr, SIZE_MAX, recorded, order_of(Args::kName)};
  }
}

}  // namespace

constinit const std::array<CommandEntry, protocol::kCommandLimit> kCommandTable = [] {
  std::array<CommandEntry, protocol::kCommandLimit> table;
  table.fill({nullptr, nullptr, SIZE_MAX, false, CommandOrder::kAfterAll});
#define PLAIN_COMMAND(number, Args, function, level, ids, member) \
  table[number] = entry<protocol::Args, run_##function, run_##function##_quickly>();
#include "protocol/commands.inc"
#undef PLAIN_COMMAND
  return table;
}();

constinit const std::array<RequestLength, protocol::kCommandLimit> kRequestLengths = [] {
  std::array<RequestLength, protocol::kCommandLimit> table{};
#define PLAIN_COMMAND(number, Args, function, level, ids, member) \
  if constexpr (kIsQuickCommand<protocol::Args>) table[number] = request_length<protocol::Args>;
#include "protocol/commands.inc"
#undef PLAIN_COMMAND
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
