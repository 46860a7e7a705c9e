#include "platform/address_wait.h"

namespace pvgpu::platform {

bool wait_on_address(std::atomic<uint32_t>& word, uint32_t expected, const Deadline& deadline) {
  return wait_with_condition(word, expected, deadline);
}

void wake_all_on_address(std::atomic<uint32_t>& word) { wake_all_with_condition(word); }

}  // namespace pvgpu::platform
