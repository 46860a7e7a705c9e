#include <cstring>

#include "bench/client/resources.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

void allocate_map_free(const Gpu& gpu, const VkMemoryAllocateInfo& info) {
  const Memory memory(gpu, info);
  void* mapped = nullptr;
  check(gpu.vk.MapMemory(gpu.device, memory, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
  std::memset(mapped, 1, 64);
}

}  // namespace

void memory(Bench& bench) {
  const Gpu& gpu = bench.gpu();
  const uint32_t type = gpu.memory_type(
      ~0u, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
  const auto measure = [&](const char* figure, VkDeviceSize size) {
    const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                    .allocationSize = size,
                                    .memoryTypeIndex = type};
    const double rate = bench.rate([&] {
      allocate_map_free(gpu, info);
      return 1;
    });
    bench.figure(figure, 1e6 / rate);
  };
  measure("64-KiB", 64 << 10);
  measure("1-MiB", 1 << 20);
  measure("16-MiB", 16 << 20);
}

}  // namespace pvgpu::bench::client
