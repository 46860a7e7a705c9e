#version 450
// One step of a chain that no step may leave: each word becomes three times itself, plus what was pushed, plus its place.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Words { uint words[]; };
layout(push_constant) uniform Push { uint add; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  words[i] = words[i] * 3u + add + i;
}
