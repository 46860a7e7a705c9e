#include "lab.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace corners {
namespace {

using client::check;

VkInstance make_instance(const Needs& needs) {
  const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                      .pApplicationName = "corners",
                                      .apiVersion = VK_API_VERSION_1_3};
  const VkInstanceCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
      .pApplicationInfo = &application,
      .enabledExtensionCount = uint32_t(needs.instance_extensions().size()),
      .ppEnabledExtensionNames = needs.instance_extensions().data()};
  VkInstance instance;
  const VkResult result = vkCreateInstance(&info, nullptr, &instance);
  if (result == VK_ERROR_EXTENSION_NOT_PRESENT) throw Absent{needs.instance_extensions().front()};
  check(result, "vkCreateInstance");
  return instance;
}

// The first family that draws and computes; it has to have as many queues as are needed.
uint32_t find_family(VkPhysicalDevice physical, uint32_t queues) {
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
  constexpr VkQueueFlags kBoth = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
  for (uint32_t i = 0; i < count; ++i) {
    if ((families[i].queueFlags & kBoth) != kBoth) continue;
    if (families[i].queueCount < queues) throw Absent{"several queues in a family"};
    return i;
  }
  throw Absent{"a queue family that draws and computes"};
}

}  // namespace

Lab::Lab(Needs&& needs) {
  instance = make_instance(needs);
  uint32_t count = 1;
  if (vkEnumeratePhysicalDevices(instance, &count, &physical) < 0 || count == 0) {
    client::fail("vkEnumeratePhysicalDevices: no device");
  }
  try {
    needs.check(physical);
    family = find_family(physical, needs.queues());
  } catch (...) {
    vkDestroyInstance(instance, nullptr);
    throw;
  }
  vkGetPhysicalDeviceMemoryProperties(physical, &memory);
  const std::vector<float> priorities(needs.queues(), 1.0f);
  const VkDeviceQueueCreateInfo queue_info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueFamilyIndex = family,
                                           .queueCount = needs.queues(),
                                           .pQueuePriorities = priorities.data()};
  const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                .pNext = needs.chain(),
                                .queueCreateInfoCount = 1,
                                .pQueueCreateInfos = &queue_info,
                                .enabledExtensionCount = uint32_t(needs.extensions().size()),
                                .ppEnabledExtensionNames = needs.extensions().data()};
  check(vkCreateDevice(physical, &info, nullptr, &device), "vkCreateDevice");
  queues.resize(needs.queues());
  for (uint32_t i = 0; i < queues.size(); ++i) vkGetDeviceQueue(device, family, i, &queues[i]);
  queue = queues.front();
  commands = command_pool();
}

Lab::~Lab() {
  vkDeviceWaitIdle(device);
  while (!at_end_.empty()) {
    const auto act = std::move(at_end_.back());
    at_end_.pop_back();
    act();
  }
  vkDestroyDevice(device, nullptr);
  vkDestroyInstance(instance, nullptr);
}

PFN_vkVoidFunction Lab::find(const char* name) const {
  const bool of_device = !std::string_view(name).starts_with("vkGetPhysicalDevice");
  PFN_vkVoidFunction found =
      of_device ? vkGetDeviceProcAddr(device, name) : vkGetInstanceProcAddr(instance, name);
  if (!found) client::fail(name);
  return found;
}

client::Buffer Lab::buffer(VkDeviceSize size, VkBufferUsageFlags usage) {
  client::Buffer buffer = client::make_buffer(*this, size, usage);
  std::memset(buffer.mapped, 0, size);
  at_end([this, buffer]() mutable { client::destroy(*this, buffer); });
  return buffer;
}

VkImageView Lab::view(const Image& image, VkImageViewType type, VkImageSubresourceRange range,
                      const void* next) {
  const VkImageViewCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
                                   .pNext = next,
                                   .image = image.image,
                                   .viewType = type,
                                   .format = image.spec.format,
                                   .subresourceRange = range};
  VkImageView view;
  check(vkCreateImageView(device, &info, nullptr, &view), "vkCreateImageView");
  at_end([=, this] { vkDestroyImageView(device, view, nullptr); });
  return view;
}

Image Lab::image(const ImageSpec& spec) {
  Image result{.spec = spec, .aspects = aspects_of(spec.format)};
  const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                               .pNext = spec.next,
                               .flags = spec.flags,
                               .imageType = spec.type,
                               .format = spec.format,
                               .extent = spec.extent,
                               .mipLevels = spec.levels,
                               .arrayLayers = spec.layers,
                               .samples = spec.samples,
                               .tiling = VK_IMAGE_TILING_OPTIMAL,
                               .usage = spec.usage};
  check(vkCreateImage(device, &info, nullptr, &result.image), "vkCreateImage");
  VkMemoryRequirements requirements;
  vkGetImageMemoryRequirements(device, result.image, &requirements);
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .allocationSize = requirements.size,
      .memoryTypeIndex = client::memory_type(*this, requirements.memoryTypeBits, spec.memory)};
  check(vkAllocateMemory(device, &allocation, nullptr, &result.memory), "vkAllocateMemory");
  check(vkBindImageMemory(device, result.image, result.memory, 0), "vkBindImageMemory");
  at_end([this, image = result.image, memory = result.memory] {
    vkDestroyImage(device, image, nullptr);
    vkFreeMemory(device, memory, nullptr);
  });
  constexpr VkImageUsageFlags kOnlyCopies = VK_IMAGE_USAGE_TRANSFER_SRC_BIT |
                                            VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                                            VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT;
  if (spec.usage & ~kOnlyCopies) {
    result.view = view(result, spec.view, result.range(), spec.view_next);
  }
  return result;
}

VkSampler Lab::sampler(VkSamplerCreateInfo info) {
  info.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO;
  VkSampler sampler;
  check(vkCreateSampler(device, &info, nullptr, &sampler), "vkCreateSampler");
  at_end([=, this] { vkDestroySampler(device, sampler, nullptr); });
  return sampler;
}

VkDescriptorSetLayout Lab::set_layout(std::span<const Binding> bindings,
                                      VkDescriptorSetLayoutCreateFlags flags) {
  std::vector<VkDescriptorSetLayoutBinding> described;
  std::vector<VkDescriptorBindingFlags> binding_flags;
  for (const Binding& binding : bindings) {
    described.push_back({.binding = uint32_t(described.size()),
                         .descriptorType = binding.type,
                         .descriptorCount = binding.count,
                         .stageFlags = VK_SHADER_STAGE_ALL});
    binding_flags.push_back(binding.flags);
  }
  const VkDescriptorSetLayoutBindingFlagsCreateInfo more{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
      .bindingCount = uint32_t(binding_flags.size()),
      .pBindingFlags = binding_flags.data()};
  const VkDescriptorSetLayoutCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .pNext = &more,
      .flags = flags,
      .bindingCount = uint32_t(described.size()),
      .pBindings = described.data()};
  VkDescriptorSetLayout layout;
  check(vkCreateDescriptorSetLayout(device, &info, nullptr, &layout),
        "vkCreateDescriptorSetLayout");
  at_end([=, this] { vkDestroyDescriptorSetLayout(device, layout, nullptr); });
  return layout;
}

VkDescriptorPool Lab::descriptor_pool(std::span<const VkDescriptorPoolSize> sizes, uint32_t sets,
                                      VkDescriptorPoolCreateFlags flags, const void* next) {
  const VkDescriptorPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                        .pNext = next,
                                        .flags = flags,
                                        .maxSets = sets,
                                        .poolSizeCount = uint32_t(sizes.size()),
                                        .pPoolSizes = sizes.data()};
  VkDescriptorPool pool;
  check(vkCreateDescriptorPool(device, &info, nullptr, &pool), "vkCreateDescriptorPool");
  at_end([=, this] { vkDestroyDescriptorPool(device, pool, nullptr); });
  return pool;
}

VkDescriptorSet Lab::set(VkDescriptorPool pool, VkDescriptorSetLayout layout, const void* next) {
  const VkDescriptorSetAllocateInfo info{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                         .pNext = next,
                                         .descriptorPool = pool,
                                         .descriptorSetCount = 1,
                                         .pSetLayouts = &layout};
  VkDescriptorSet set;
  check(vkAllocateDescriptorSets(device, &info, &set), "vkAllocateDescriptorSets");
  return set;
}

VkDescriptorSet Lab::storage_set(VkDescriptorSetLayout layout, std::span<const VkBuffer> buffers) {
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, uint32_t(buffers.size())};
  const VkDescriptorSet result = set(descriptor_pool({&size, 1}, 1), layout);
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const VkDescriptorBufferInfo buffer{buffers[i], 0, VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                     .dstSet = result,
                                     .dstBinding = i,
                                     .descriptorCount = 1,
                                     .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                     .pBufferInfo = &buffer};
    vkUpdateDescriptorSets(device, 1, &write, 0, nullptr);
  }
  return result;
}

VkDescriptorSet Lab::image_set(VkDescriptorSetLayout layout, VkDescriptorType type,
                               const Image& image, VkImageLayout as) {
  const VkDescriptorPoolSize size{type, 1};
  const VkDescriptorSet result = set(descriptor_pool({&size, 1}, 1), layout);
  const VkDescriptorImageInfo info{VK_NULL_HANDLE, image.view, as};
  const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = result,
                                   .descriptorCount = 1,
                                   .descriptorType = type,
                                   .pImageInfo = &info};
  vkUpdateDescriptorSets(device, 1, &write, 0, nullptr);
  return result;
}

VkPipelineLayout Lab::pipeline_layout(std::span<const VkDescriptorSetLayout> sets,
                                      uint32_t push_constants) {
  const VkPushConstantRange push{.stageFlags = VK_SHADER_STAGE_ALL, .size = push_constants};
  const VkPipelineLayoutCreateInfo info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                        .setLayoutCount = uint32_t(sets.size()),
                                        .pSetLayouts = sets.data(),
                                        .pushConstantRangeCount = push_constants ? 1u : 0u,
                                        .pPushConstantRanges = &push};
  VkPipelineLayout layout;
  check(vkCreatePipelineLayout(device, &info, nullptr, &layout), "vkCreatePipelineLayout");
  at_end([=, this] { vkDestroyPipelineLayout(device, layout, nullptr); });
  return layout;
}

VkShaderModule Lab::shader(std::span<const uint32_t> code) {
  const VkShaderModuleCreateInfo info{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                      .codeSize = code.size_bytes(),
                                      .pCode = code.data()};
  VkShaderModule module;
  check(vkCreateShaderModule(device, &info, nullptr, &module), "vkCreateShaderModule");
  at_end([=, this] { vkDestroyShaderModule(device, module, nullptr); });
  return module;
}

VkPipeline Lab::compute_pipeline(VkPipelineLayout layout, std::span<const uint32_t> code,
                                 VkPipelineCreateFlags flags, VkPipelineCache cache) {
  const VkComputePipelineCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
      .flags = flags,
      .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                .module = shader(code),
                .pName = "main"},
      .layout = layout};
  VkPipeline pipeline;
  check(vkCreateComputePipelines(device, cache, 1, &info, nullptr, &pipeline),
        "vkCreateComputePipelines");
  at_end([=, this] { vkDestroyPipeline(device, pipeline, nullptr); });
  return pipeline;
}

VkSemaphore Lab::semaphore(const void* next) {
  const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, .pNext = next};
  VkSemaphore semaphore;
  check(vkCreateSemaphore(device, &info, nullptr, &semaphore), "vkCreateSemaphore");
  at_end([=, this] { vkDestroySemaphore(device, semaphore, nullptr); });
  return semaphore;
}

VkSemaphore Lab::timeline(uint64_t value) {
  const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                       .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
                                       .initialValue = value};
  return semaphore(&type);
}

VkFence Lab::fence(const void* next) {
  const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = next};
  VkFence fence;
  check(vkCreateFence(device, &info, nullptr, &fence), "vkCreateFence");
  at_end([=, this] { vkDestroyFence(device, fence, nullptr); });
  return fence;
}

VkQueryPool Lab::query_pool(VkQueryType type, uint32_t count, const void* next,
                            VkQueryPipelineStatisticFlags statistics) {
  const VkQueryPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                   .pNext = next,
                                   .queryType = type,
                                   .queryCount = count,
                                   .pipelineStatistics = statistics};
  VkQueryPool pool;
  check(vkCreateQueryPool(device, &info, nullptr, &pool), "vkCreateQueryPool");
  at_end([=, this] { vkDestroyQueryPool(device, pool, nullptr); });
  return pool;
}

VkCommandPool Lab::command_pool(VkCommandPoolCreateFlags flags) {
  const VkCommandPoolCreateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                     .flags = flags,
                                     .queueFamilyIndex = family};
  VkCommandPool pool;
  check(vkCreateCommandPool(device, &info, nullptr, &pool), "vkCreateCommandPool");
  at_end([=, this] { vkDestroyCommandPool(device, pool, nullptr); });
  return pool;
}

VkCommandBuffer Lab::command_buffer(VkCommandPool pool, VkCommandBufferLevel level) {
  const VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                         .commandPool = pool,
                                         .level = level,
                                         .commandBufferCount = 1};
  VkCommandBuffer buffer;
  check(vkAllocateCommandBuffers(device, &info, &buffer), "vkAllocateCommandBuffers");
  return buffer;
}

std::vector<uint8_t> Lab::read(const Image& image, VkImageLayout layout, uint32_t level,
                               VkImageAspectFlags aspect) {
  const auto smaller = [&](uint32_t size) { return std::max(size >> level, 1u); };
  const VkExtent3D extent{smaller(image.spec.extent.width), smaller(image.spec.extent.height),
                          smaller(image.spec.extent.depth)};
  const size_t size = size_t{extent.width} * extent.height * extent.depth * image.spec.layers *
                      texel_size(image.spec.format);
  client::Buffer bytes = client::make_buffer(*this, size, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  run([&](VkCommandBuffer recorded) {
    barrier(recorded);
    const VkBufferImageCopy region{
        .imageSubresource = {aspect ? aspect : image.aspects, level, 0, image.spec.layers},
        .imageExtent = extent};
    vkCmdCopyImageToBuffer(recorded, image.image, layout, bytes.buffer, 1, &region);
  });
  const auto* first = static_cast<const uint8_t*>(bytes.mapped);
  std::vector<uint8_t> result(first, first + size);
  client::destroy(*this, bytes);
  return result;
}

}  // namespace corners
