#version 450
// Mixes one buffer into another, with wrap-around whole numbers only: every correct device gives the same words.
layout(local_size_x_id = 0) in;
layout(set = 0, binding = 0) readonly buffer Source { uint words[]; } source;
layout(set = 0, binding = 1) buffer Target { uint words[]; } target;
layout(push_constant) uniform Push { uint factor; uint shift; } push;

void main() {
  uint count = uint(target.words.length());
  for (uint i = gl_GlobalInvocationID.x; i < count; i += gl_NumWorkGroups.x * gl_WorkGroupSize.x) {
    uint other = source.words[(i + push.shift) % uint(source.words.length())];
    target.words[i] = target.words[i] * (push.factor | 1u) + (other ^ i);
  }
}
