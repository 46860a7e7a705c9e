// A client that stays and works: fills a mapped buffer with a new value again and again, checks
// each, and prints a line for each hundred. Rests for a moment after each: several of these beside a test keep
// all processors busy otherwise, and then Linux 6.18 may let others wait for seconds (docs/performance.md).
// Ends when its standard input does.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "vulkan_client.h"

namespace {

bool input_ended() {
  constexpr int kRestMilliseconds = 1;
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (poll(&input, 1, kRestMilliseconds) == 0) return false;
  char byte;
  return read(STDIN_FILENO, &byte, 1) <= 0;
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  client::Device device = client::open("hold");
  client::Buffer buffer = client::make_buffer(device, 65536, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  for (uint32_t value = 1; !input_ended(); ++value) {
    client::run(device, [&](VkCommandBuffer commands) {
      vkCmdFillBuffer(commands, buffer.buffer, 0, VK_WHOLE_SIZE, value);
    });
    if (!std::ranges::all_of(buffer.words(), [&](uint32_t word) { return word == value; })) {
      client::fail("the fill is not in the mapped memory");
    }
    if (value % 100 == 1) std::printf("filled %u times\n", value);
  }
  client::destroy(device, buffer);
  client::close(device);
  std::puts("done");
}
