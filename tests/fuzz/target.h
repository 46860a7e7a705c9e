// What a fuzz target defines, and both of its mains call: main.cc, which makes up bytes, and libFuzzer's (-DPVGPU_FUZZER=ON).
#pragma once

#include <cstddef>
#include <span>

namespace pvgpu::fuzz {

// One run. What it finds ends the process.
void run(std::span<const std::byte> bytes);

}  // namespace pvgpu::fuzz
