#version 450
layout(local_size_x = 256) in;
layout(binding = 0) buffer Data { uvec4 data[]; };

void main() {
  const uint first = gl_WorkGroupID.x * 1024 + gl_LocalInvocationIndex;
  const uvec4 sum = data[first] ^ data[first + 256] ^ data[first + 512] ^ data[first + 768];
  // Hardly ever, but no compiler knows.
  if (sum == uvec4(0x12345678)) data[first] = sum;
}
