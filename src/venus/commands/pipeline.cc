// Pipelines: several at once, some of which may fail while others exist.
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"

namespace pvgpu::venus {
namespace {

template <class Args, class Function>
void create_pipelines(Call& call, Args& args, Function function) {
  if (!function) return call.poison(PoisonReason::kUnavailableCommand, "its extension is not enabled");
  VkPipeline* ids = call.stream().arena().make<VkPipeline>(args.createInfoCount);
  if (!ids) return call.poison(PoisonReason::kLimitExceeded, "too many pipelines");
  for (uint32_t i = 0; i < args.createInfoCount; ++i) {
    ids[i] = args.pPipelines[i];
    if (!call.check_new_id(std::bit_cast<uint64_t>(ids[i]))) return;
    args.pPipelines[i] = VK_NULL_HANDLE;
  }
  args.call(function);
  for (uint32_t i = 0; i < args.createInfoCount && !call.poisoned(); ++i) {
    const VkResult result = args.pPipelines[i] ? VK_SUCCESS : args.ret;
    // VK_PIPELINE_COMPILE_REQUIRED is no error, but there is no object either.
    if (!args.pPipelines[i] && result >= 0 && call.wants_reply()) continue;
    args.pPipelines[i] = call.created(ids[i], result, args.pPipelines[i]);
  }
}

}  // namespace

void handle(Call& call, protocol::CreateGraphicsPipelinesArgs& args) {
  create_pipelines(call, args, call.device().vk.vkCreateGraphicsPipelines);
}

void handle(Call& call, protocol::CreateComputePipelinesArgs& args) {
  create_pipelines(call, args, call.device().vk.vkCreateComputePipelines);
}

void handle(Call& call, protocol::CreateRayTracingPipelinesKHRArgs& args) {
  // A deferred driver would write the handles after this command's memory is gone; guests may ask for
  // deferral, but "not deferred" is always a legal outcome.
  args.deferredOperation = VK_NULL_HANDLE;
  create_pipelines(call, args, call.device().vk.vkCreateRayTracingPipelinesKHR);
}

}  // namespace pvgpu::venus
