#version 450
// Numbers that no GPU can compress.
layout(local_size_x = 256) in;
layout(binding = 0) writeonly buffer Data { uvec4 data[]; };

uint mixed(uint x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

void main() {
  const uint first = gl_WorkGroupID.x * 1024 + gl_LocalInvocationIndex;
  for (uint i = first; i < first + 1024; i += 256) {
    data[i] = uvec4(mixed(4 * i), mixed(4 * i + 1), mixed(4 * i + 2), mixed(4 * i + 3));
  }
}
