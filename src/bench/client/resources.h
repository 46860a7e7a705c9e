// Vulkan objects that are destroyed with their owner, and the few kinds that several works need.
// The Gpu outlives them all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "bench/client/failure.h"
#include "bench/client/gpu.h"

namespace pvgpu::bench::client {

// A call's name as a template argument, for errors.
template <size_t kSize>
struct CallName {
  constexpr CallName(const char (&name)[kSize]) { std::copy_n(name, kSize, text); }
  char text[kSize];
};

template <class Handle, CallName kName, auto kCreate, auto kDestroy>
class Object {
 public:
  Object() = default;
  template <class Info>
  Object(const Gpu& gpu, const Info& info) : gpu_(&gpu) {
    check((gpu.vk.*kCreate)(gpu.device, &info, nullptr, &handle_), kName.text);
  }
  // Takes `handle` over, which was created some other way.
  Object(const Gpu& gpu, Handle handle) : gpu_(&gpu), handle_(handle) {}
  Object(Object&& other) noexcept
      : gpu_(other.gpu_), handle_(std::exchange(other.handle_, Handle{})) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Object() {
    if (handle_) (gpu_->vk.*kDestroy)(gpu_->device, handle_, nullptr);
  }

  operator Handle() const { return handle_; }
  const Handle* address() const { return &handle_; }

 private:
  const Gpu* gpu_ = nullptr;
  Handle handle_{};
};

using Buffer = Object<VkBuffer, "vkCreateBuffer", &Vulkan::CreateBuffer, &Vulkan::DestroyBuffer>;
using BufferView = Object<VkBufferView, "vkCreateBufferView", &Vulkan::CreateBufferView,
                          &Vulkan::DestroyBufferView>;
using Image = Object<VkImage, "vkCreateImage", &Vulkan::CreateImage, &Vulkan::DestroyImage>;
using ImageView =
    Object<VkImageView, "vkCreateImageView", &Vulkan::CreateImageView, &Vulkan::DestroyImageView>;
using Sampler =
    Object<VkSampler, "vkCreateSampler", &Vulkan::CreateSampler, &Vulkan::DestroySampler>;
using Fence = Object<VkFence, "vkCreateFence", &Vulkan::CreateFence, &Vulkan::DestroyFence>;
using Semaphore =
    Object<VkSemaphore, "vkCreateSemaphore", &Vulkan::CreateSemaphore, &Vulkan::DestroySemaphore>;
using Event = Object<VkEvent, "vkCreateEvent", &Vulkan::CreateEvent, &Vulkan::DestroyEvent>;
using QueryPool =
    Object<VkQueryPool, "vkCreateQueryPool", &Vulkan::CreateQueryPool, &Vulkan::DestroyQueryPool>;
using CommandPool = Object<VkCommandPool, "vkCreateCommandPool", &Vulkan::CreateCommandPool,
                           &Vulkan::DestroyCommandPool>;
using DescriptorPool = Object<VkDescriptorPool, "vkCreateDescriptorPool",
                              &Vulkan::CreateDescriptorPool, &Vulkan::DestroyDescriptorPool>;
using DescriptorSetLayout =
    Object<VkDescriptorSetLayout, "vkCreateDescriptorSetLayout", &Vulkan::CreateDescriptorSetLayout,
           &Vulkan::DestroyDescriptorSetLayout>;
using PipelineLayout = Object<VkPipelineLayout, "vkCreatePipelineLayout",
                              &Vulkan::CreatePipelineLayout, &Vulkan::DestroyPipelineLayout>;
using PipelineCache = Object<VkPipelineCache, "vkCreatePipelineCache", &Vulkan::CreatePipelineCache,
                             &Vulkan::DestroyPipelineCache>;
using ShaderModule = Object<VkShaderModule, "vkCreateShaderModule", &Vulkan::CreateShaderModule,
                            &Vulkan::DestroyShaderModule>;
using RenderPass = Object<VkRenderPass, "vkCreateRenderPass", &Vulkan::CreateRenderPass,
                          &Vulkan::DestroyRenderPass>;
using Framebuffer = Object<VkFramebuffer, "vkCreateFramebuffer", &Vulkan::CreateFramebuffer,
                           &Vulkan::DestroyFramebuffer>;
using Memory =
    Object<VkDeviceMemory, "vkAllocateMemory", &Vulkan::AllocateMemory, &Vulkan::FreeMemory>;
// Only takes pipelines over: they are created many at a time.
using Pipeline = Object<VkPipeline, "", nullptr, &Vulkan::DestroyPipeline>;

// A buffer with memory of its own, mapped for its whole life if that is host-visible.
struct BoundBuffer {
  BoundBuffer(const Gpu& gpu, VkDeviceSize size, VkBufferUsageFlags usage,
              VkMemoryPropertyFlags wanted, VkMemoryPropertyFlags preferred = 0);

  Memory memory;
  Buffer buffer;
  void* mapped = nullptr;
};

// A small image to draw into, with memory of its own.
struct Target {
  static constexpr uint32_t kSize = 64;
  static constexpr VkFormat kFormat = VK_FORMAT_R8G8B8A8_UNORM;
  explicit Target(const Gpu& gpu);

  Memory memory;
  Image image;
  ImageView view;
  RenderPass pass;
  Framebuffer framebuffer;
};

// An image that is created as nothing but a question to ask the driver.
class RoundTrip {
 public:
  explicit RoundTrip(const Gpu& gpu);
  // A call that Mesa's Venus driver answers by asking the host, which has then done all that came
  // before in the same ring.
  void operator()() const;

 private:
  const Gpu& gpu_;
  Image image_;
};

// Of a render pass that clears and stores a Target.
VkAttachmentDescription target_attachment();
VkImageCreateInfo image_info(VkFormat format, uint32_t size, VkImageTiling tiling,
                             VkImageUsageFlags usage);
VkImageViewCreateInfo view_info(VkImage image, VkFormat format);
// `count` sets of one layout, freed with their pool.
std::vector<VkDescriptorSet> allocate_sets(const Gpu& gpu, VkDescriptorPool pool, VkDescriptorSetLayout layout, uint32_t count);
PipelineLayout make_pipeline_layout(const Gpu& gpu, VkShaderStageFlags stages,
                                    uint32_t push_constant_bytes);

}  // namespace pvgpu::bench::client
