// A device and what a corner makes on it, all destroyed with it in reverse order. Helpers make the
// usual case short; whatever a corner is about, it calls itself. One thread, unless told.
#pragma once

#include <functional>
#include <vector>

#include "corner.h"
#include "needs.h"

namespace corners {

struct ImageSpec {
  VkFormat format = VK_FORMAT_R8G8B8A8_UNORM;
  VkExtent3D extent{64, 64, 1};
  VkImageUsageFlags usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                            VK_IMAGE_USAGE_TRANSFER_DST_BIT;
  VkImageType type = VK_IMAGE_TYPE_2D;
  VkImageViewType view = VK_IMAGE_VIEW_TYPE_2D;
  uint32_t layers = 1, levels = 1;
  VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT;
  VkImageCreateFlags flags = 0;
  VkMemoryPropertyFlags memory = 0;
  const void *next = nullptr, *view_next = nullptr;
};

struct Image {
  VkImage image = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  VkImageView view = VK_NULL_HANDLE;
  ImageSpec spec;
  VkImageAspectFlags aspects = VK_IMAGE_ASPECT_COLOR_BIT;

  VkImageSubresourceRange range() const {
    return {aspects, 0, VK_REMAINING_MIP_LEVELS, 0, VK_REMAINING_ARRAY_LAYERS};
  }
  VkRect2D area() const { return {{0, 0}, {spec.extent.width, spec.extent.height}}; }
};

struct Binding {
  VkDescriptorType type;
  uint32_t count = 1;
  VkDescriptorBindingFlags flags = 0;
};

struct Stage {
  VkShaderStageFlagBits stage;
  std::span<const uint32_t> code;
};

// A graphics pipeline for dynamic rendering (or `render_pass`), with dynamic viewport and scissor.
struct GraphicsSpec {
  std::vector<Stage> stages;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  std::vector<VkFormat> colors{VK_FORMAT_R8G8B8A8_UNORM};
  VkFormat depth = VK_FORMAT_UNDEFINED;
  VkSampleCountFlagBits samples = VK_SAMPLE_COUNT_1_BIT;
  VkPrimitiveTopology topology = VK_PRIMITIVE_TOPOLOGY_TRIANGLE_LIST;
  uint32_t view_mask = 0;
  bool rasterize = true;
  VkRenderPass render_pass = VK_NULL_HANDLE;
  uint32_t subpass = 0;
  VkPipelineCreateFlags flags = 0;
  VkPipelineCache cache = VK_NULL_HANDLE;
  const void* next = nullptr;
};

class Lab : public client::Device {
 public:
  explicit Lab(Needs&& needs = {});
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  // Called when the device is idle and about to go; the last one added is the first one called.
  void at_end(std::function<void()> act) { at_end_.push_back(std::move(act)); }

  template <class Function>
  Function function(const char* name) const {
    return reinterpret_cast<Function>(find(name));
  }

  client::Buffer buffer(VkDeviceSize size, VkBufferUsageFlags usage);
  Image image(const ImageSpec& spec = {});
  VkImageView view(const Image& image, VkImageViewType type, VkImageSubresourceRange range,
                   const void* next = nullptr);
  VkSampler sampler(VkSamplerCreateInfo info);
  VkDescriptorSetLayout set_layout(std::span<const Binding> bindings,
                                   VkDescriptorSetLayoutCreateFlags flags = 0);
  VkDescriptorPool descriptor_pool(std::span<const VkDescriptorPoolSize> sizes, uint32_t sets,
                                   VkDescriptorPoolCreateFlags flags = 0,
                                   const void* next = nullptr);
  VkDescriptorSet set(VkDescriptorPool pool, VkDescriptorSetLayout layout,
                      const void* next = nullptr);
  // A set with these buffers as storage buffers at bindings 0, 1, …, in a pool of its own.
  VkDescriptorSet storage_set(VkDescriptorSetLayout layout, std::span<const VkBuffer> buffers);
  // A set with this image, in layout `as`, at binding 0, in a pool of its own.
  VkDescriptorSet image_set(VkDescriptorSetLayout layout, VkDescriptorType type, const Image& image,
                            VkImageLayout as);
  VkPipelineLayout pipeline_layout(std::span<const VkDescriptorSetLayout> sets,
                                   uint32_t push_constants = 0);
  VkShaderModule shader(std::span<const uint32_t> code);
  VkPipeline compute_pipeline(VkPipelineLayout layout, std::span<const uint32_t> code,
                              VkPipelineCreateFlags flags = 0,
                              VkPipelineCache cache = VK_NULL_HANDLE);
  VkPipeline graphics_pipeline(const GraphicsSpec& spec);
  VkSemaphore semaphore(const void* next = nullptr);
  VkSemaphore timeline(uint64_t value = 0);
  VkFence fence(const void* next = nullptr);
  VkQueryPool query_pool(VkQueryType type, uint32_t count, const void* next = nullptr,
                         VkQueryPipelineStatisticFlags statistics = 0);
  VkCommandPool command_pool(VkCommandPoolCreateFlags flags = 0);
  VkCommandBuffer command_buffer(VkCommandPool pool,
                                 VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY);

  void run(const std::function<void(VkCommandBuffer)>& record) { client::run(*this, record); }
  // The bytes of one level of an image in `layout` (all its layers), as a copy to a buffer lays
  // them out.
  std::vector<uint8_t> read(const Image& image, VkImageLayout layout, uint32_t level = 0,
                            VkImageAspectFlags aspect = 0);

  uint32_t family = 0;
  std::vector<VkQueue> queues;  // `queue` is the first

 private:
  PFN_vkVoidFunction find(const char* name) const;

  std::vector<std::function<void()>> at_end_;
};

// A command of an extension or of a version above the loader's, from the device.
#define FN(lab, name) (lab).function<PFN_##name>(#name)

// Everything before it is done and visible to everything after it.
void barrier(VkCommandBuffer commands);
void transition(VkCommandBuffer commands, const Image& image, VkImageLayout from, VkImageLayout to);

void begin(VkCommandBuffer commands, VkCommandBufferUsageFlags flags = 0,
           const VkCommandBufferInheritanceInfo* inheritance = nullptr);
void end(VkCommandBuffer commands);

// Dynamic rendering into `image`, in COLOR_ATTACHMENT_OPTIMAL, cleared first.
void begin_rendering(VkCommandBuffer commands, const Image& image, VkClearColorValue clear = {},
                     VkRenderingFlags flags = 0, uint32_t view_mask = 0);
void set_viewport(VkCommandBuffer commands, const Image& image);

size_t texel_size(VkFormat format);
VkImageAspectFlags aspects_of(VkFormat format);

}  // namespace corners
