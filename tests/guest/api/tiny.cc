// The smallest whole client: a device, one mapped buffer, one fill by the device, checked. Many of
// these come and go in tests.
#include <algorithm>
#include <cstdio>

#include "vulkan_client.h"

int main() {
  client::Device device = client::open("tiny");
  client::Buffer buffer = client::make_buffer(device, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  client::run(device, [&](VkCommandBuffer commands) {
    vkCmdFillBuffer(commands, buffer.buffer, 0, VK_WHOLE_SIZE, 0x5ca1ab1e);
  });
  if (!std::ranges::all_of(buffer.words(), [](uint32_t word) { return word == 0x5ca1ab1e; })) {
    client::fail("the fill is not in the mapped memory");
  }
  client::destroy(device, buffer);
  client::close(device);
  std::puts("filled");
}
