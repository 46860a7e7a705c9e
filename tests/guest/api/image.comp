#version 450
// A storage image, written and read back through the driver's tiling.
layout(local_size_x_id = 0) in;
layout(set = 0, binding = 0) readonly buffer Input { uint words[]; } source;
layout(set = 0, binding = 3, rgba8) uniform image2D picture;
layout(push_constant) uniform Push { uint seed; } push;

void main() {
  uint index = gl_GlobalInvocationID.x;
  uvec4 bytes = (uvec4(source.words[index] + push.seed) >> uvec4(0, 8, 16, 24)) & 255u;
  imageStore(picture, ivec2(index % 256u, index / 256u), vec4(bytes) / 255.0);
}
