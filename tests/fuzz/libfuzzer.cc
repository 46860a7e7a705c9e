#include <cstddef>
#include <cstdint>

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pvgpu::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
