// Keeps many mapped allocations alive at once (3,000 unless told), lets the device copy from each
// to the next, and reads every one back: shows that none of them shares bytes with another, and
// that each is seen by both sides.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "vulkan_client.h"

namespace {

// Sizes that are no multiple of a page too, with a copied half and a half that only the CPU writes.
VkDeviceSize size_of(uint32_t index) {
  return 64 * (1 + index % 130);
}
uint32_t pattern(uint32_t index, uint32_t word) {
  return index * 2654435761u ^ word * 40503u;
}

void copy_to_next(const client::Device& device, const std::vector<client::Buffer>& buffers) {
  client::run(device, [&](VkCommandBuffer commands) {
    for (size_t i = 0; i < buffers.size(); ++i) {
      const VkBufferCopy region{.srcOffset = 0, .dstOffset = 32, .size = 32};
      vkCmdCopyBuffer(commands, buffers[i].buffer, buffers[(i + 1) % buffers.size()].buffer, 1,
                      &region);
    }
  });
}

void verify(const std::vector<client::Buffer>& buffers) {
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const uint32_t previous = i == 0 ? uint32_t(buffers.size()) - 1 : i - 1;
    const auto words = buffers[i].words();
    for (uint32_t word = 0; word < words.size(); ++word) {
      const bool copied = word >= 8 && word < 16;
      const uint32_t expected = copied ? pattern(previous, word - 8) : pattern(i, word);
      if (words[word] == expected) continue;
      std::fprintf(stderr, "allocation %u, word %u: %08x, expected %08x\n", i, word, words[word],
                   expected);
      std::exit(1);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const uint32_t count = argc > 1 ? uint32_t(std::atoi(argv[1])) : 3000;
  client::Device device = client::open("many_allocations");
  std::vector<client::Buffer> buffers;
  for (uint32_t i = 0; i < count; ++i) {
    buffers.push_back(client::make_buffer(
        device, size_of(i), VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT));
    const auto words = buffers.back().words();
    for (uint32_t word = 0; word < words.size(); ++word) words[word] = pattern(i, word);
  }
  copy_to_next(device, buffers);
  verify(buffers);
  for (client::Buffer& buffer : buffers) client::destroy(device, buffer);
  client::close(device);
  std::printf("%u allocations written and read back\n", count);
}
