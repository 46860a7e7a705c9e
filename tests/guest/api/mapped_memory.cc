// mapped_memory LIVE ROUNDS: allocates and maps memory ROUNDS times, LIVE of them at once; each is larger than drivers carve from a
// pool, so each is one of its own for kernel and hypervisor too. The oldest goes when a new one comes. Every one holds what was
// written to it until it goes, and some are written by the device. Tells each thousandth round, and what a round took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "vulkan_client.h"

namespace {

constexpr VkDeviceSize kSize = 128 << 10;
constexpr uint32_t kBetweenFills = 50;

struct Mapped {
  client::Buffer buffer;
  uint32_t round, value;
};

Mapped make(const client::Device& device, uint32_t round) {
  Mapped made{client::make_buffer(device, kSize, VK_BUFFER_USAGE_TRANSFER_DST_BIT),
              round, round * 2654435761u};
  if (round % kBetweenFills == 0) {
    client::run(device, [&](VkCommandBuffer commands) {
      vkCmdFillBuffer(commands, made.buffer.buffer, 0, VK_WHOLE_SIZE, made.value);
    });
  } else {
    std::ranges::fill(made.buffer.words(), made.value);
  }
  return made;
}

void end(const client::Device& device, Mapped& mapped) {
  const auto words = mapped.buffer.words();
  const auto wrong = std::ranges::find_if(words, [&](uint32_t word) { return word != mapped.value; });
  if (wrong != words.end()) {
    std::printf("round %u (0x%08x): word %td of %zu is 0x%08x, and of all %td are as they should be\n",
                mapped.round, mapped.value, wrong - words.begin(), words.size(), *wrong,
                std::ranges::count(words, mapped.value));
    client::fail("memory does not hold what was written to it");
  }
  client::destroy(device, mapped.buffer);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) client::fail("usage: mapped_memory LIVE ROUNDS");
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const size_t live = size_t(std::atoi(argv[1]));
  const uint32_t rounds = uint32_t(std::atoi(argv[2]));
  client::Device device = client::open("mapped_memory");
  std::deque<Mapped> all;
  const auto start = std::chrono::steady_clock::now();
  for (uint32_t round = 1; round <= rounds; ++round) {
    all.push_back(make(device, round));
    if (all.size() > live) {
      end(device, all.front());
      all.pop_front();
    }
    if (round % 1000 == 0) std::printf("round %u\n", round);
  }
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  for (Mapped& mapped : all) end(device, mapped);
  client::close(device);
  std::printf("%u allocations mapped, written and read back; %.0f us each\n", rounds,
              took.count() / rounds);
}
