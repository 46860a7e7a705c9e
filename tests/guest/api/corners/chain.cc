#include "chain.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "step_comp.h"

namespace corners {

Chain::Chain(Lab& lab)
    : buffer(lab.buffer(kWords * 4, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_DST_BIT)),
      expected(kWords) {
  set_layout = lab.set_layout(std::array{Binding{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER}});
  layout = lab.pipeline_layout({&set_layout, 1}, 4);
  pipeline = lab.compute_pipeline(layout, step_comp_spirv);
  set = lab.storage_set(set_layout, {&buffer.buffer, 1});
}

void Chain::step(VkCommandBuffer commands, uint32_t add) const {
  barrier(commands);
  vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
  vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
  vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_ALL, 0, 4, &add);
  vkCmdDispatch(commands, kWords / 64, 1, 1);
  barrier(commands);
}

void Chain::expect_step(uint32_t add) {
  for (uint32_t i = 0; i < kWords; ++i) expected[i] = expected[i] * 3 + add + i;
}

void Chain::check(const char* what) const {
  expect(std::ranges::equal(buffer.words(), expected), what);
  say_bytes(what, expected);
}

}  // namespace corners
