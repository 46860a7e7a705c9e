#version 450
// Words of a uniform block go to a storage buffer.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Words { uint words[]; };
layout(set = 0, binding = 1) uniform Block { uvec4 values[16]; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  words[i] = values[(i / 4u) % 16u][i % 4u] * 3u + i;
}
