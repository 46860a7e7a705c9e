#version 450
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_EXT_shader_image_int64 : require
// Every invocation adds into one of the image's sixteen texels.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0, r64ui) uniform u64image2D picture;

void main() {
  uint i = gl_GlobalInvocationID.x;
  imageAtomicAdd(picture, ivec2(i % 4u, (i / 4u) % 4u), uint64_t(i) * 0x100000001ul);
}
