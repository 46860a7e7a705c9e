#version 450
#extension GL_EXT_shader_atomic_int64 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Results { uint64_t sum; uint64_t bits; uint64_t largest; };

void main() {
  uint64_t value = uint64_t(gl_GlobalInvocationID.x) * 0x9e3779b97f4a7c15ul;
  atomicAdd(sum, value);
  atomicXor(bits, value);
  atomicMax(largest, value);
}
