// Shows a picture that Vulkan has computed on the first screen of the kernel's display driver (KMS), until it is killed:
//   scanout memory SEED    the screen shows the Vulkan memory itself
//   scanout copy SEED      a picture of the kernel's own, into which it is copied, and a pointer: a white square with its upper left
//                          corner at 100,50
// It uses the kernel's interface as it is, and no library but Vulkan's.
#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "picture.h"
#include "vulkan_client.h"

namespace {

constexpr uint32_t kCursorSide = 64;

// The kernel's display driver, with the first screen that is connected.
class Screen {
 public:
  Screen() : card_(open("/dev/dri/card0", O_RDWR | O_CLOEXEC)) {
    if (card_ < 0) client::fail("cannot open /dev/dri/card0");
    drm_mode_card_res counts{};
    call(DRM_IOCTL_MODE_GETRESOURCES, counts, "GETRESOURCES");
    std::vector<uint32_t> crtcs(counts.count_crtcs), connectors(counts.count_connectors);
    drm_mode_card_res resources{};
    resources.crtc_id_ptr = address(crtcs.data());
    resources.count_crtcs = counts.count_crtcs;
    resources.connector_id_ptr = address(connectors.data());
    resources.count_connectors = counts.count_connectors;
    call(DRM_IOCTL_MODE_GETRESOURCES, resources, "GETRESOURCES");
    if (crtcs.empty() || connectors.empty()) client::fail("no screen");
    crtc_ = crtcs[0];
    connector_ = connectors[0];
    drm_mode_get_connector count{};
    count.connector_id = connector_;
    call(DRM_IOCTL_MODE_GETCONNECTOR, count, "GETCONNECTOR");
    std::vector<drm_mode_modeinfo> modes(count.count_modes);
    drm_mode_get_connector connector{};
    connector.connector_id = connector_;
    connector.modes_ptr = address(modes.data());
    connector.count_modes = count.count_modes;
    call(DRM_IOCTL_MODE_GETCONNECTOR, connector, "GETCONNECTOR");
    if (modes.empty()) client::fail("the screen has no mode");
    mode_ = modes[0];
  }
  uint32_t width() const { return mode_.hdisplay; }
  uint32_t height() const { return mode_.vdisplay; }

  // A picture of the kernel's own.
  struct Dumb {
    uint32_t handle, pitch;
    unsigned char* pixels;
  };
  Dumb make_dumb(uint32_t width, uint32_t height) {
    drm_mode_create_dumb create{};
    create.width = width;
    create.height = height;
    create.bpp = 32;
    call(DRM_IOCTL_MODE_CREATE_DUMB, create, "CREATE_DUMB");
    drm_mode_map_dumb map{};
    map.handle = create.handle;
    call(DRM_IOCTL_MODE_MAP_DUMB, map, "MAP_DUMB");
    void* const pixels = mmap(nullptr, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, card_, static_cast<off_t>(map.offset));
    if (pixels == MAP_FAILED) client::fail("cannot map a dumb buffer");
    return {create.handle, create.pitch, static_cast<unsigned char*>(pixels)};
  }
  uint32_t import(int dma_buf) {
    drm_prime_handle prime{};
    prime.fd = dma_buf;
    call(DRM_IOCTL_PRIME_FD_TO_HANDLE, prime, "PRIME_FD_TO_HANDLE");
    return prime.handle;
  }
  void show(uint32_t handle, uint32_t pitch) {
    drm_mode_fb_cmd2 add{};
    add.width = width();
    add.height = height();
    add.pixel_format = DRM_FORMAT_XRGB8888;
    add.handles[0] = handle;
    add.pitches[0] = pitch;
    call(DRM_IOCTL_MODE_ADDFB2, add, "ADDFB2");
    drm_mode_crtc set{};
    set.crtc_id = crtc_;
    set.fb_id = add.fb_id;
    set.set_connectors_ptr = address(&connector_);
    set.count_connectors = 1;
    set.mode = mode_;
    set.mode_valid = 1;
    call(DRM_IOCTL_MODE_SETCRTC, set, "SETCRTC");
  }
  void set_cursor(uint32_t handle, int32_t x, int32_t y) {
    drm_mode_cursor2 cursor{};
    cursor.flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE;
    cursor.crtc_id = crtc_;
    cursor.x = x;
    cursor.y = y;
    cursor.width = cursor.height = kCursorSide;
    cursor.handle = handle;
    call(DRM_IOCTL_MODE_CURSOR2, cursor, "CURSOR2");
  }

 private:
  static uint64_t address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
  template <class T>
  void call(unsigned long request, T& argument, const char* name) {
    int result;
    do result = ioctl(card_, request, &argument);
    while (result != 0 && (errno == EINTR || errno == EAGAIN));
    if (result == 0) return;
    std::perror(name);
    std::exit(1);
  }

  const int card_;
  uint32_t crtc_ = 0, connector_ = 0;
  drm_mode_modeinfo mode_{};
};

// Memory that another program or driver can be given.
struct Exported {
  VkBuffer buffer;
  VkDeviceMemory memory;
  int dma_buf;
};

Exported make_exported(const client::Device& device, VkDeviceSize size) {
  constexpr auto kType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
  const VkExternalMemoryBufferCreateInfo external{.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, .handleTypes = kType};
  const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                .pNext = &external,
                                .size = size,
                                .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT};
  Exported result;
  client::check(vkCreateBuffer(device.device, &info, nullptr, &result.buffer), "vkCreateBuffer");
  VkMemoryRequirements requirements;
  vkGetBufferMemoryRequirements(device.device, result.buffer, &requirements);
  const VkExportMemoryAllocateInfo exported{.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, .handleTypes = kType};
  const VkMemoryAllocateInfo allocation{
      .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
      .pNext = &exported,
      .allocationSize = requirements.size,
      .memoryTypeIndex = client::memory_type(device, requirements.memoryTypeBits,
                                             VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)};
  client::check(vkAllocateMemory(device.device, &allocation, nullptr, &result.memory), "vkAllocateMemory");
  client::check(vkBindBufferMemory(device.device, result.buffer, result.memory, 0), "vkBindBufferMemory");
  const auto get_fd = reinterpret_cast<PFN_vkGetMemoryFdKHR>(vkGetDeviceProcAddr(device.device, "vkGetMemoryFdKHR"));
  const VkMemoryGetFdInfoKHR get{.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR, .memory = result.memory, .handleType = kType};
  client::check(get_fd(device.device, &get, &result.dma_buf), "vkGetMemoryFdKHR");
  return result;
}

VkDescriptorSet describe(const client::Device& device, VkDescriptorSetLayout layout, VkBuffer buffer) {
  const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
  const VkDescriptorPoolCreateInfo pool_info{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO, .maxSets = 1, .poolSizeCount = 1, .pPoolSizes = &size};
  VkDescriptorPool pool;
  client::check(vkCreateDescriptorPool(device.device, &pool_info, nullptr, &pool), "vkCreateDescriptorPool");
  const VkDescriptorSetAllocateInfo allocation{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                               .descriptorPool = pool,
                                               .descriptorSetCount = 1,
                                               .pSetLayouts = &layout};
  VkDescriptorSet set;
  client::check(vkAllocateDescriptorSets(device.device, &allocation, &set), "vkAllocateDescriptorSets");
  const VkDescriptorBufferInfo whole{buffer, 0, VK_WHOLE_SIZE};
  const VkWriteDescriptorSet write{.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                   .dstSet = set,
                                   .descriptorCount = 1,
                                   .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                   .pBufferInfo = &whole};
  vkUpdateDescriptorSets(device.device, 1, &write, 0, nullptr);
  return set;
}

// Computes the picture into `buffer`.
void draw(const client::Device& device, VkBuffer buffer, uint32_t width, uint32_t height, uint32_t seed) {
  const VkDescriptorSetLayoutBinding binding{.binding = 0,
                                             .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                             .descriptorCount = 1,
                                             .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
  const VkDescriptorSetLayoutCreateInfo set_info{
      .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = 1, .pBindings = &binding};
  VkDescriptorSetLayout set_layout;
  client::check(vkCreateDescriptorSetLayout(device.device, &set_info, nullptr, &set_layout), "vkCreateDescriptorSetLayout");
  const uint32_t push[] = {width, height, seed};
  const VkPushConstantRange range{VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push};
  const VkPipelineLayoutCreateInfo layout_info{.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &set_layout,
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &range};
  VkPipelineLayout layout;
  client::check(vkCreatePipelineLayout(device.device, &layout_info, nullptr, &layout), "vkCreatePipelineLayout");
  const VkShaderModuleCreateInfo module_info{
      .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = sizeof picture_spirv, .pCode = picture_spirv};
  VkShaderModule module;
  client::check(vkCreateShaderModule(device.device, &module_info, nullptr, &module), "vkCreateShaderModule");
  const VkComputePipelineCreateInfo pipeline_info{.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
                                                  .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                                                            .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                                                            .module = module,
                                                            .pName = "main"},
                                                  .layout = layout};
  VkPipeline pipeline;
  client::check(vkCreateComputePipelines(device.device, VK_NULL_HANDLE, 1, &pipeline_info, nullptr, &pipeline),
                "vkCreateComputePipelines");
  const VkDescriptorSet set = describe(device, set_layout, buffer);
  client::run(device, [&](VkCommandBuffer commands) {
    vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nullptr);
    vkCmdPushConstants(commands, layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof push, push);
    vkCmdDispatch(commands, (width * height + 63) / 64, 1, 1);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc == 3 ? argv[1] : "";
  if (how != "memory" && how != "copy") client::fail("usage: scanout memory|copy SEED");
  const uint32_t seed = static_cast<uint32_t>(std::atoi(argv[2]));
  Screen screen;
  const uint32_t width = screen.width(), height = screen.height(), pitch = width * 4;

  const client::Device plain = client::open("scanout");
  const char* const extensions[] = {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME};
  const client::Device device = client::make_device(plain.instance, plain.physical, 0, nullptr, extensions);
  if (how == "memory") {
    const Exported exported = make_exported(device, VkDeviceSize{pitch} * height);
    draw(device, exported.buffer, width, height, seed);
    screen.show(screen.import(exported.dma_buf), pitch);
  } else {
    const client::Buffer buffer = client::make_buffer(device, VkDeviceSize{pitch} * height, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT);
    draw(device, buffer.buffer, width, height, seed);
    const Screen::Dumb dumb = screen.make_dumb(width, height), cursor = screen.make_dumb(kCursorSide, kCursorSide);
    for (uint32_t y = 0; y < height; y++)
      std::memcpy(dumb.pixels + size_t{dumb.pitch} * y, static_cast<const char*>(buffer.mapped) + size_t{pitch} * y, pitch);
    std::memset(cursor.pixels, 0xff, size_t{cursor.pitch} * kCursorSide);
    screen.show(dumb.handle, dumb.pitch);
    screen.set_cursor(cursor.handle, 100, 50);
  }
  std::printf("shown: %u x %u\n", width, height);
  std::fflush(stdout);
  for (;;) pause();
}
