// Does what Vulkan forbids, harmlessly: fills from an offset that is no multiple of 4; with the
// argument `hazard`, fills twice with nothing between. Shows that a validation layer sees it.
#include <cstdio>
#include <cstring>

#include "vulkan_client.h"

int main(int argc, char** argv) {
  const bool hazard = argc > 1 && std::strcmp(argv[1], "hazard") == 0;
  client::Device device = client::open("misuse");
  client::Buffer buffer = client::make_buffer(device, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  client::run(device, [&](VkCommandBuffer commands) {
    vkCmdFillBuffer(commands, buffer.buffer, hazard ? 0 : 2, 4, 0);
    if (hazard) vkCmdFillBuffer(commands, buffer.buffer, 0, 4, 1);
  });
  client::destroy(device, buffer);
  client::close(device);
  std::puts("misused");
}
