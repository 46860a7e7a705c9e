// A context with a device, on the fake driver, whose measured functions do nothing: what is left is our own cost.
// Streams are executed on the caller's thread, without a ring. For one thread.
#pragma once

#include <memory>

#include "venus/context_impl.h"
#include "venus/testing/bytes.h"

namespace pvgpu::bench {

class Stage {
 public:
  Stage();
  ~Stage();

  venus::ContextImpl& context() { return *context_; }
  venus::Device& device_state() { return context_->devices.front(); }

  // Decodes and executes commands; ends the program with the reason if they poison the context.
  void execute(std::span<const std::byte> commands);
  template <class Args>
  void send(const Args& args) {
    execute(venus::testing::request_bytes(args));
  }
  // A reply slot of 64 KiB, from its start.
  void provide_reply_slot();
  void rewind_replies();

  template <class H>
  H new_object() {
    return venus::testing::id<H>(++last_id_);
  }
  VkBuffer make_buffer();
  VkEvent make_event();
  VkImage make_image();
  VkDescriptorSet make_descriptor_set();

  VkInstance instance;
  VkPhysicalDevice physical;
  VkDevice device;
  VkQueue queue;
  VkCommandPool pool;
  VkCommandBuffer commands;  // in the recording state
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  VkPipeline pipeline;

 private:
  std::unique_ptr<venus::ContextImpl> context_;
  uint64_t last_id_ = 0;
  VkDescriptorPool descriptor_pool_ = VK_NULL_HANDLE;
};

}  // namespace pvgpu::bench
