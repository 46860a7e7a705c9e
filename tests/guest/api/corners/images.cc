// Images of every shape: copies, blits, clears, sampling.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "lab.h"
#include "sample_comp.h"

namespace corners {
namespace {

using client::check;

constexpr VkImageUsageFlags kCopies =
    VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
constexpr VkImageLayout kFrom = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                        kTo = VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL;

client::Buffer numbered(Lab& lab, size_t size, uint32_t seed = 1) {
  const client::Buffer buffer = lab.buffer((size + 3) / 4 * 4, VK_BUFFER_USAGE_TRANSFER_SRC_BIT);
  for (uint32_t i = 0; i < buffer.words().size(); ++i) {
    buffer.words()[i] = (i + seed) * 2654435761u;
  }
  return buffer;
}

// Fills level 0 of all layers from a buffer and leaves the image in `then`.
void upload(Lab& lab, const Image& image, const client::Buffer& from, VkImageLayout then) {
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, kTo);
    const VkBufferImageCopy region{.imageSubresource = {image.aspects, 0, 0, image.spec.layers},
                                   .imageExtent = image.spec.extent};
    vkCmdCopyBufferToImage(commands, from.buffer, image.image, kTo, 1, &region);
    transition(commands, image, kTo, then);
  });
}

}  // namespace

// Every shape, written from a buffer, read back, and copied to another image at an offset.
CORNER(image_shapes) {
  Lab lab(Needs().CORE_FEATURE(imageCubeArray));
  struct Shape {
    const char* name;
    ImageSpec spec;
  };
  const Shape shapes[]{
      {"1D", {.extent = {100, 1, 1}, .type = VK_IMAGE_TYPE_1D, .view = VK_IMAGE_VIEW_TYPE_1D}},
      {"1D array",
       {.extent = {50, 1, 1},
        .type = VK_IMAGE_TYPE_1D,
        .view = VK_IMAGE_VIEW_TYPE_1D_ARRAY,
        .layers = 5}},
      {"2D array", {.extent = {33, 17, 1}, .view = VK_IMAGE_VIEW_TYPE_2D_ARRAY, .layers = 4}},
      {"3D", {.extent = {12, 9, 7}, .type = VK_IMAGE_TYPE_3D, .view = VK_IMAGE_VIEW_TYPE_3D}},
      {"cube",
       {.extent = {16, 16, 1},
        .view = VK_IMAGE_VIEW_TYPE_CUBE,
        .layers = 6,
        .flags = VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT}},
      {"cube array",
       {.extent = {8, 8, 1},
        .view = VK_IMAGE_VIEW_TYPE_CUBE_ARRAY,
        .layers = 12,
        .flags = VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT}}};
  for (const Shape& shape : shapes) {
    ImageSpec spec = shape.spec;
    spec.usage = kCopies | VK_IMAGE_USAGE_SAMPLED_BIT;
    const Image first = lab.image(spec), second = lab.image(spec);
    const size_t size =
        size_t{4} * spec.extent.width * spec.extent.height * spec.extent.depth * spec.layers;
    const client::Buffer bytes = numbered(lab, size, spec.layers);
    upload(lab, first, bytes, kFrom);
    const auto back = lab.read(first, kFrom);
    expect(std::memcmp(back.data(), bytes.mapped, size) == 0, "what was written is read");
    lab.run([&](VkCommandBuffer commands) {
      transition(commands, second, VK_IMAGE_LAYOUT_UNDEFINED, kTo);
      const VkClearColorValue zero{};
      const VkImageSubresourceRange range = second.range();
      vkCmdClearColorImage(commands, second.image, kTo, &zero, 1, &range);
      barrier(commands);
      const VkImageSubresourceLayers layers{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, spec.layers};
      const uint32_t half = spec.extent.width / 2;
      const VkImageCopy region{layers,
                               {1, 0, 0},
                               layers,
                               {int32_t(half), 0, 0},
                               {half - 1, spec.extent.height, spec.extent.depth}};
      vkCmdCopyImage(commands, first.image, kFrom, second.image, kTo, 1, &region);
      transition(commands, second, kTo, kFrom);
    });
    say_bytes(shape.name, lab.read(second, kFrom));
  }
}

CORNER(image_formats) {
  Lab lab;
  for (VkFormat format :
       {VK_FORMAT_R8_UNORM, VK_FORMAT_R8G8_UNORM, VK_FORMAT_R5G6B5_UNORM_PACK16,
        VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_R8G8B8A8_SRGB, VK_FORMAT_A2B10G10R10_UNORM_PACK32,
        VK_FORMAT_B10G11R11_UFLOAT_PACK32, VK_FORMAT_R16_SFLOAT, VK_FORMAT_R32_SFLOAT,
        VK_FORMAT_R16G16B16A16_SFLOAT, VK_FORMAT_R32G32B32A32_SFLOAT}) {
    const Image image = lab.image({.format = format, .extent = {20, 10, 1}});
    lab.run([&](VkCommandBuffer commands) {
      transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED,
                 VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
      begin_rendering(commands, image, {{0.1f, 0.4f, 0.7f, 0.9f}});
      vkCmdEndRendering(commands);
      transition(commands, image, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL, kFrom);
    });
    say_bytes(("format " + std::to_string(format)).c_str(), lab.read(image, kFrom));
  }
  VkFormatProperties properties;
  std::vector<VkFormatProperties> all;
  for (int format = 1; format <= VK_FORMAT_ASTC_12x12_SRGB_BLOCK; ++format) {
    vkGetPhysicalDeviceFormatProperties(lab.physical, VkFormat(format), &properties);
    all.push_back(properties);
  }
  // The guest is offered linear tiling for what windows are made of, so only the others compare.
  std::vector<VkFormatFeatureFlags> optimal;
  for (const auto& one : all) optimal.push_back(one.optimalTilingFeatures);
  say_bytes("features of optimal tiling", optimal);
  std::vector<VkFormatFeatureFlags> buffers;
  for (const auto& one : all) buffers.push_back(one.bufferFeatures);
  say_bytes("features of buffers", buffers);
}

// A chain of levels, each a filtered half of the one before; then stretched and mirrored.
CORNER(blits) {
  Lab lab;
  const Image image = lab.image({.usage = kCopies, .levels = 7});
  const Image other = lab.image({.format = VK_FORMAT_R16G16B16A16_SFLOAT, .usage = kCopies});
  const client::Buffer bytes = numbered(lab, 64 * 64 * 4);
  upload(lab, image, bytes, kTo);
  lab.run([&](VkCommandBuffer commands) {
    const auto level_barrier = [&](uint32_t level, VkImageLayout from, VkImageLayout to) {
      const VkImageSubresourceRange range{VK_IMAGE_ASPECT_COLOR_BIT, level, 1, 0, 1};
      client::transition(commands, image.image, range, from, to);
    };
    level_barrier(0, kTo, kFrom);
    for (uint32_t level = 1; level < 7; ++level) {
      const int32_t from = 64 >> (level - 1), to = 64 >> level;
      const VkImageBlit region{{VK_IMAGE_ASPECT_COLOR_BIT, level - 1, 0, 1},
                               {{0, 0, 0}, {from, from, 1}},
                               {VK_IMAGE_ASPECT_COLOR_BIT, level, 0, 1},
                               {{0, 0, 0}, {to, to, 1}}};
      vkCmdBlitImage(commands, image.image, kFrom, image.image, kTo, 1, &region, VK_FILTER_LINEAR);
      level_barrier(level, kTo, kFrom);
    }
    transition(commands, other, VK_IMAGE_LAYOUT_UNDEFINED, kTo);
    const VkImageBlit mirrored{{VK_IMAGE_ASPECT_COLOR_BIT, 1, 0, 1},
                               {{32, 0, 0}, {5, 20, 1}},
                               {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
                               {{0, 0, 0}, {64, 64, 1}}};
    vkCmdBlitImage(commands, image.image, kFrom, other.image, kTo, 1, &mirrored, VK_FILTER_NEAREST);
    transition(commands, other, kTo, kFrom);
  });
  for (uint32_t level : {1, 3, 6}) {
    say_bytes(("level " + std::to_string(level)).c_str(), lab.read(image, kFrom, level));
  }
  say_bytes("stretched and mirrored, in another format", lab.read(other, kFrom));
}

CORNER(depth_and_stencil) {
  Lab lab;
  VkFormat format = VK_FORMAT_D32_SFLOAT_S8_UINT;
  const Image image =
      lab.image({.format = format, .usage = kCopies | VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT});
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, kTo);
    const VkClearDepthStencilValue value{0.375f, 0xa5};
    const VkImageSubresourceRange range = image.range();
    vkCmdClearDepthStencilImage(commands, image.image, kTo, &value, 1, &range);
    transition(commands, image, kTo, kFrom);
  });
  const auto depth = lab.read(image, kFrom, 0, VK_IMAGE_ASPECT_DEPTH_BIT);
  const auto stencil = lab.read(image, kFrom, 0, VK_IMAGE_ASPECT_STENCIL_BIT);
  expect(*reinterpret_cast<const float*>(depth.data()) == 0.375f && stencil[64 * 64 - 1] == 0xa5,
         "each aspect holds what it was cleared to");
  say_bytes("depth", depth.data(), 64 * 64 * 4);
  say_bytes("stencil", stencil.data(), 64 * 64);
}

namespace {

constexpr uint32_t kRow = 80, kBackRow = 20;  // longer than the rows that are copied
constexpr VkExtent3D kRectangle{18, 29, 1};
constexpr uint32_t kUntouched = 0xeeeeeeee;

// An image that the host fills, and the rectangle that the host reads of it.
struct HostCopies {
  explicit HostCopies(Lab& lab)
      : image(lab.image({.usage = kCopies | VK_IMAGE_USAGE_HOST_TRANSFER_BIT_EXT, .layers = 2})),
        words(kRow * 64 * 2),
        back(kBackRow * kRectangle.height, kUntouched) {
    for (uint32_t i = 0; i < words.size(); ++i) words[i] = i * 2654435761u;
    const VkHostImageLayoutTransitionInfoEXT move{
        .sType = VK_STRUCTURE_TYPE_HOST_IMAGE_LAYOUT_TRANSITION_INFO_EXT,
        .image = image.image,
        .newLayout = VK_IMAGE_LAYOUT_GENERAL,
        .subresourceRange = image.range()};
    check(FN(lab, vkTransitionImageLayoutEXT)(lab.device, 1, &move), "vkTransitionImageLayoutEXT");
    const VkMemoryToImageCopyEXT in{.sType = VK_STRUCTURE_TYPE_MEMORY_TO_IMAGE_COPY_EXT,
                                    .pHostPointer = words.data(),
                                    .memoryRowLength = kRow,
                                    .memoryImageHeight = 64,
                                    .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 2},
                                    .imageExtent = image.spec.extent};
    const VkCopyMemoryToImageInfoEXT copy_in{
        .sType = VK_STRUCTURE_TYPE_COPY_MEMORY_TO_IMAGE_INFO_EXT,
        .dstImage = image.image,
        .dstImageLayout = VK_IMAGE_LAYOUT_GENERAL,
        .regionCount = 1,
        .pRegions = &in};
    check(FN(lab, vkCopyMemoryToImageEXT)(lab.device, &copy_in), "vkCopyMemoryToImageEXT");
    const VkImageToMemoryCopyEXT out{.sType = VK_STRUCTURE_TYPE_IMAGE_TO_MEMORY_COPY_EXT,
                                     .pHostPointer = back.data(),
                                     .memoryRowLength = kBackRow,
                                     .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 1},
                                     .imageOffset = {7, 3, 0},
                                     .imageExtent = kRectangle};
    const VkCopyImageToMemoryInfoEXT copy_out{
        .sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_MEMORY_INFO_EXT,
        .srcImage = image.image,
        .srcImageLayout = VK_IMAGE_LAYOUT_GENERAL,
        .regionCount = 1,
        .pRegions = &out};
    check(FN(lab, vkCopyImageToMemoryEXT)(lab.device, &copy_out), "vkCopyImageToMemoryEXT");
  }

  Image image;
  std::vector<uint32_t> words, back;
};

Needs host_copy_needs() {
  return Needs()
      .extension(VK_EXT_HOST_IMAGE_COPY_EXTENSION_NAME)
      .FEATURE(VkPhysicalDeviceHostImageCopyFeaturesEXT, hostImageCopy);
}

}  // namespace

CORNER(host_image_copy) {
  Lab lab(host_copy_needs());
  const HostCopies copies(lab);
  say_bytes("the device reads", lab.read(copies.image, VK_IMAGE_LAYOUT_GENERAL));
  for (uint32_t y = 0; y < kRectangle.height; ++y) {
    for (uint32_t x = 0; x < kRectangle.width; ++x) {
      expect(copies.back[y * kBackRow + x] == copies.words[kRow * (64 + 3 + y) + 7 + x],
             "the host reads its rectangle");
    }
  }
  say("the host reads its rectangle");
}

CORNER(host_image_copy_between_rows) {
  Lab lab(host_copy_needs());
  const HostCopies copies(lab);
  uint32_t touched = 0;
  for (uint32_t y = 0; y < kRectangle.height; ++y) {
    for (uint32_t x = kRectangle.width; x < kBackRow; ++x) {
      touched += copies.back[y * kBackRow + x] != kUntouched;
    }
  }
  say("%u words between rows were written", touched);
}

namespace {

// Samples `image` at 256 places along its diagonal, well beyond its ends too; vec4 each.
std::vector<uint8_t> sample(Lab& lab, VkImageView view, VkSampler sampler, bool immutable) {
  const VkDescriptorSetLayoutBinding bindings[]{
      {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr},
      {1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT,
       immutable ? &sampler : nullptr}};
  const VkDescriptorSetLayoutCreateInfo info{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
      .bindingCount = 2,
      .pBindings = bindings};
  VkDescriptorSetLayout set_layout;
  check(vkCreateDescriptorSetLayout(lab.device, &info, nullptr, &set_layout),
        "vkCreateDescriptorSetLayout");
  lab.at_end([&lab, set_layout] { vkDestroyDescriptorSetLayout(lab.device, set_layout, nullptr); });
  const VkPipelineLayout layout = lab.pipeline_layout({&set_layout, 1});
  const VkPipeline pipeline = lab.compute_pipeline(layout, sample_comp_spirv);
  const std::array<VkDescriptorPoolSize, 2> sizes{
      {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1}, {VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 4}}};
  const VkDescriptorSet set = lab.set(lab.descriptor_pool(sizes, 1), set_layout);
  const client::Buffer output = lab.buffer(256 * 16, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
  const VkDescriptorBufferInfo buffer{output.buffer, 0, VK_WHOLE_SIZE};
  const VkDescriptorImageInfo image{immutable ? VK_NULL_HANDLE : sampler, view,
                                    VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL};
  const VkWriteDescriptorSet writes[]{{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                       .dstSet = set,
                                       .dstBinding = 0,
                                       .descriptorCount = 1,
                                       .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                       .pBufferInfo = &buffer},
                                      {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                       .dstSet = set,
                                       .dstBinding = 1,
                                       .descriptorCount = 1,
                                       .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                                       .pImageInfo = &image}};
  vkUpdateDescriptorSets(lab.device, 2, writes, 0, nullptr);
  lab.run([&](VkCommandBuffer commands) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0,
                            nullptr);
    vkCmdDispatch(commands, 4, 1, 1);
  });
  const auto* first = static_cast<const uint8_t*>(output.mapped);
  return {first, first + output.size};
}

}  // namespace

CORNER(border_colours) {
  Lab lab(Needs()
              .extension(VK_EXT_CUSTOM_BORDER_COLOR_EXTENSION_NAME)
              .FEATURE(VkPhysicalDeviceCustomBorderColorFeaturesEXT, customBorderColors));
  const Image image = lab.image({.usage = kCopies | VK_IMAGE_USAGE_SAMPLED_BIT});
  upload(lab, image, numbered(lab, 64 * 64 * 4), VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
  const VkSamplerCustomBorderColorCreateInfoEXT custom{
      .sType = VK_STRUCTURE_TYPE_SAMPLER_CUSTOM_BORDER_COLOR_CREATE_INFO_EXT,
      .customBorderColor = {{0.125f, 0.375f, 0.625f, 0.875f}},
      .format = VK_FORMAT_R8G8B8A8_UNORM};
  for (VkBorderColor color :
       {VK_BORDER_COLOR_FLOAT_TRANSPARENT_BLACK, VK_BORDER_COLOR_FLOAT_OPAQUE_WHITE,
        VK_BORDER_COLOR_FLOAT_CUSTOM_EXT}) {
    const bool own = color == VK_BORDER_COLOR_FLOAT_CUSTOM_EXT;
    const VkSampler sampler = lab.sampler({.pNext = own ? &custom : nullptr,
                                           .magFilter = VK_FILTER_LINEAR,
                                           .minFilter = VK_FILTER_LINEAR,
                                           .addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER,
                                           .addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER,
                                           .addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_BORDER,
                                           .borderColor = color});
    const auto texels = sample(lab, image.view, sampler, false);
    float outside;
    std::memcpy(&outside, texels.data() + 4, 4);
    say("green outside: %g", double(outside));
    say_bytes("along the diagonal", texels);
  }
}

// Three planes, written apart, sampled as one colour.
CORNER(ycbcr_conversion) {
  Lab lab(Needs().FEATURE(VkPhysicalDeviceVulkan11Features, samplerYcbcrConversion));
  const VkFormat format = VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM;
  VkFormatProperties properties;
  vkGetPhysicalDeviceFormatProperties(lab.physical, format, &properties);
  constexpr VkFormatFeatureFlags kNeeded = VK_FORMAT_FEATURE_SAMPLED_IMAGE_BIT |
                                           VK_FORMAT_FEATURE_MIDPOINT_CHROMA_SAMPLES_BIT |
                                           VK_FORMAT_FEATURE_TRANSFER_DST_BIT;
  if ((properties.optimalTilingFeatures & kNeeded) != kNeeded) throw Absent{"three-plane images"};
  const VkSamplerYcbcrConversionCreateInfo conversion_info{
      .sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_CREATE_INFO,
      .format = format,
      .ycbcrModel = VK_SAMPLER_YCBCR_MODEL_CONVERSION_YCBCR_709,
      .ycbcrRange = VK_SAMPLER_YCBCR_RANGE_ITU_NARROW,
      .xChromaOffset = VK_CHROMA_LOCATION_MIDPOINT,
      .yChromaOffset = VK_CHROMA_LOCATION_MIDPOINT,
      .chromaFilter = VK_FILTER_NEAREST};
  VkSamplerYcbcrConversion conversion;
  check(vkCreateSamplerYcbcrConversion(lab.device, &conversion_info, nullptr, &conversion),
        "vkCreateSamplerYcbcrConversion");
  lab.at_end(
      [&lab, conversion] { vkDestroySamplerYcbcrConversion(lab.device, conversion, nullptr); });
  const VkSamplerYcbcrConversionInfo with{.sType = VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO,
                                          .conversion = conversion};
  const Image image =
      lab.image({.format = format,
                 .usage = VK_IMAGE_USAGE_SAMPLED_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT,
                 .view_next = &with});
  const VkSampler sampler = lab.sampler({.pNext = &with,
                                         .addressModeU = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                         .addressModeV = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE,
                                         .addressModeW = VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE});
  const client::Buffer bytes = numbered(lab, 64 * 64 + 2 * 32 * 32);
  lab.run([&](VkCommandBuffer commands) {
    transition(commands, image, VK_IMAGE_LAYOUT_UNDEFINED, kTo);
    std::array<VkBufferImageCopy, 3> planes;
    for (uint32_t i = 0; i < 3; ++i) {
      const uint32_t side = i ? 32 : 64;
      planes[i] = {
          .bufferOffset = i ? 4096 + (i - 1) * 1024 : 0,
          .imageSubresource = {VkImageAspectFlags(VK_IMAGE_ASPECT_PLANE_0_BIT << i), 0, 0, 1},
          .imageExtent = {side, side, 1}};
    }
    vkCmdCopyBufferToImage(commands, bytes.buffer, image.image, kTo, 3, planes.data());
    transition(commands, image, kTo, VK_IMAGE_LAYOUT_SHADER_READ_ONLY_OPTIMAL);
  });
  say_bytes("sampled", sample(lab, image.view, sampler, true));
}

}  // namespace corners
