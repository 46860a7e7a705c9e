#include "bench/client/shader_code.h"

#include "read_comp.h"
#include "sum_comp.h"
#include "triangle_frag.h"
#include "triangle_vert.h"
#include "write_comp.h"

namespace pvgpu::bench::client {

std::span<const uint32_t> triangle_vertex_code() {
  return triangle_vert;
}
std::span<const uint32_t> triangle_fragment_code() {
  return triangle_frag;
}
std::span<const uint32_t> sum_code() {
  return sum_comp;
}
std::span<const uint32_t> read_code() {
  return read_comp;
}
std::span<const uint32_t> write_code() {
  return write_comp;
}

ShaderModule make_shader(const Gpu& gpu, std::span<const uint32_t> code) {
  return ShaderModule(gpu,
                      VkShaderModuleCreateInfo{.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                               .codeSize = code.size_bytes(),
                                               .pCode = code.data()});
}

}  // namespace pvgpu::bench::client
