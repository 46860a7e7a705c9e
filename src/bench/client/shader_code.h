// The works' shaders, compiled from client/shaders at build time.
#pragma once

#include <cstdint>
#include <span>

#include "bench/client/resources.h"

namespace pvgpu::bench::client {

std::span<const uint32_t> triangle_vertex_code();
std::span<const uint32_t> triangle_fragment_code();
std::span<const uint32_t> sum_code();
std::span<const uint32_t> read_code();
std::span<const uint32_t> write_code();

ShaderModule make_shader(const Gpu& gpu, std::span<const uint32_t> code);

}  // namespace pvgpu::bench::client
