// Does what Vulkan forbids, harmlessly: fills from an offset that is no multiple of 4, and fills the same bytes twice with no barrier
// between. Shows that a validation layer sees it.
#include <cstdio>

#include "vulkan_client.h"

int main() {
  client::Device device = client::open("misuse");
  client::Buffer buffer = client::make_buffer(device, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  client::run(device, [&](VkCommandBuffer commands) {
    vkCmdFillBuffer(commands, buffer.buffer, 2, 4, 0);
    vkCmdFillBuffer(commands, buffer.buffer, 16, 16, 1);
    vkCmdFillBuffer(commands, buffer.buffer, 16, 16, 2);
  });
  client::destroy(device, buffer);
  client::close(device);
  std::puts("misused");
}
