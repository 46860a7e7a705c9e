// A buffer of words, and a kernel whose steps can be told apart in whatever order they happen:
// what a corner leaves in the words proves which steps ran, once each and in order.
#pragma once

#include "lab.h"

namespace corners {

class Chain {
 public:
  static constexpr uint32_t kWords = 256;

  explicit Chain(Lab& lab);
  // Records step `add` of the kernel, between barriers.
  void step(VkCommandBuffer commands, uint32_t add) const;
  // The same step, computed here for the words expected so far.
  void expect_step(uint32_t add);
  // Ends the program unless the device's words are the expected ones.
  void check(const char* what) const;

  client::Buffer buffer;
  std::vector<uint32_t> expected;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline pipeline;
  VkDescriptorSet set;
};

}  // namespace corners
