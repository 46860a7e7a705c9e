#include "bench/client/resources.h"
#include "bench/client/shader_code.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

constexpr size_t kObjects = 64;

// What objects of other kinds are made of.
struct Parts {
  explicit Parts(const Gpu& gpu)
      : target(gpu),
        texels(gpu, 4096, VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT, 0),
        until_done(gpu) {}

  Target target;
  BoundBuffer texels;
  RoundTrip until_done;
};

class Measurement {
 public:
  Measurement(Bench& bench, const Gpu& gpu, const Parts& parts)
      : bench_(bench), gpu_(gpu), parts_(parts) {}

  template <class Kind, class Info>
  void kind(const char* figure, const Info& info) {
    const double rate = bench_.rate(
        [&] {
          {
            std::vector<Kind> objects;
            objects.reserve(kObjects);
            for (size_t i = 0; i < kObjects; ++i) objects.emplace_back(gpu_, info);
          }
          parts_.until_done();
          return kObjects;
        },
        0.2);
    bench_.figure(figure, 1e6 / rate);
  }

 private:
  Bench& bench_;
  const Gpu& gpu_;
  const Parts& parts_;
};

void measure_resources(Measurement measure, const Parts& parts) {
  measure.kind<Buffer>("buffer", VkBufferCreateInfo{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                                    .size = 65536,
                                                    .usage = VK_BUFFER_USAGE_VERTEX_BUFFER_BIT});
  measure.kind<BufferView>(
      "buffer-view", VkBufferViewCreateInfo{.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO,
                                            .buffer = parts.texels.buffer,
                                            .format = VK_FORMAT_R8G8B8A8_UNORM,
                                            .range = VK_WHOLE_SIZE});
  measure.kind<Image>("image",
                      image_info(VK_FORMAT_R8G8B8A8_UNORM, 256, VK_IMAGE_TILING_OPTIMAL,
                                 VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT));
  measure.kind<ImageView>("image-view", view_info(parts.target.image, Target::kFormat));
  measure.kind<Sampler>("sampler",
                        VkSamplerCreateInfo{.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                            .magFilter = VK_FILTER_LINEAR,
                                            .minFilter = VK_FILTER_LINEAR});
}

void measure_synchronization(Measurement measure, const Gpu& gpu) {
  measure.kind<Fence>("fence", VkFenceCreateInfo{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO});
  measure.kind<Semaphore>("semaphore",
                          VkSemaphoreCreateInfo{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO});
  measure.kind<Event>("event", VkEventCreateInfo{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO});
  measure.kind<QueryPool>("query-pool",
                          VkQueryPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                                .queryType = VK_QUERY_TYPE_OCCLUSION,
                                                .queryCount = 16});
  measure.kind<CommandPool>(
      "command-pool", VkCommandPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                              .queueFamilyIndex = gpu.queue_family});
}

void measure_descriptors(Measurement measure) {
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 64};
  measure.kind<DescriptorPool>(
      "descriptor-pool",
      VkDescriptorPoolCreateInfo{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                 .maxSets = 16,
                                 .poolSizeCount = 1,
                                 .pPoolSizes = &size});
  const VkDescriptorSetLayoutBinding bindings[] = {
      {0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, VK_SHADER_STAGE_ALL, nullptr},
      {1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 4, VK_SHADER_STAGE_ALL, nullptr}};
  measure.kind<DescriptorSetLayout>(
      "descriptor-set-layout",
      VkDescriptorSetLayoutCreateInfo{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                      .bindingCount = 2,
                                      .pBindings = bindings});
}

void measure_pipeline_parts(Measurement measure, const Parts& parts) {
  const VkPushConstantRange range{VK_SHADER_STAGE_VERTEX_BIT, 0, 16};
  measure.kind<PipelineLayout>(
      "pipeline-layout",
      VkPipelineLayoutCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                 .pushConstantRangeCount = 1,
                                 .pPushConstantRanges = &range});
  measure.kind<PipelineCache>(
      "pipeline-cache",
      VkPipelineCacheCreateInfo{.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO});
  const auto code = triangle_vertex_code();
  measure.kind<ShaderModule>(
      "shader-module",
      VkShaderModuleCreateInfo{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                               .codeSize = code.size_bytes(),
                               .pCode = code.data()});
  const VkAttachmentDescription attachment = target_attachment();
  const VkAttachmentReference color{0, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
  const VkSubpassDescription subpass{.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                     .colorAttachmentCount = 1,
                                     .pColorAttachments = &color};
  measure.kind<RenderPass>(
      "render-pass", VkRenderPassCreateInfo{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                            .attachmentCount = 1,
                                            .pAttachments = &attachment,
                                            .subpassCount = 1,
                                            .pSubpasses = &subpass});
  measure.kind<Framebuffer>(
      "framebuffer", VkFramebufferCreateInfo{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                             .renderPass = parts.target.pass,
                                             .attachmentCount = 1,
                                             .pAttachments = parts.target.view.address(),
                                             .width = Target::kSize,
                                             .height = Target::kSize,
                                             .layers = 1});
}

}  // namespace

void objects(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const Parts parts(gpu);
  const Measurement measure(bench, gpu, parts);
  measure_resources(measure, parts);
  measure_synchronization(measure, gpu);
  measure_descriptors(measure);
  measure_pipeline_parts(measure, parts);
}

}  // namespace pvgpu::bench::client
