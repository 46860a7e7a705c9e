#include <cstring>

#include "bench/client/frames.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

constexpr VkMemoryPropertyFlags kMapped =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

void copy(const Gpu& gpu, Frames& frames, VkBuffer from, VkBuffer to, VkDeviceSize size) {
  const VkBufferCopy region{.size = size};
  const VkMemoryBarrier barrier{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                .dstAccessMask = VK_ACCESS_HOST_READ_BIT |
                                                 VK_ACCESS_TRANSFER_READ_BIT |
                                                 VK_ACCESS_TRANSFER_WRITE_BIT};
  VkCommandBuffer commands = frames.begin();
  gpu.vk.CmdCopyBuffer(commands, from, to, 1, &region);
  gpu.vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                            VK_PIPELINE_STAGE_HOST_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1,
                            &barrier, 0, nullptr, 0, nullptr);
  frames.submit();
  frames.finish();
}

}  // namespace

void transfer(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const size_t size = bench.either<size_t>(32 << 20, 4 << 20);
  const VkBufferUsageFlags both =
      VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  const BoundBuffer on_gpu(gpu, size, both, 0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
  const BoundBuffer up(gpu, size, both, kMapped);
  const BoundBuffer back(gpu, size, both, kMapped, VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  std::vector<unsigned char> data(size);
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<unsigned char>(i * 31 + (i >> 12));
  const std::vector<unsigned char> sent = data;
  Frames frames(gpu, 1);

  bench.figure("upload", bench.rate([&] {
    std::memcpy(up.mapped, data.data(), size);
    copy(gpu, frames, up.buffer, on_gpu.buffer, size);
    return size;
  }) / 1e9);
  bench.figure("read-back", bench.rate([&] {
    copy(gpu, frames, on_gpu.buffer, back.buffer, size);
    std::memcpy(data.data(), back.mapped, size);
    return size;
  }) / 1e9);
  if (data != sent) fail("what was read back is not what was uploaded");
}

}  // namespace pvgpu::bench::client
