#version 450
// Multiplies and adds what specialization constants say.
layout(local_size_x = 64) in;
layout(constant_id = 3) const uint factor = 1u;
layout(constant_id = 7) const uint add = 0u;
layout(set = 0, binding = 0) buffer Words { uint words[]; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  words[i] = words[i] * factor + add;
}
