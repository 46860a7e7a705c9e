#version 450
#extension GL_EXT_nonuniform_qualifier : require
// The first word of one of many buffers, picked by each invocation for itself.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Words { uint words[]; };
layout(set = 0, binding = 1) buffer Source { uint word; } sources[];
layout(push_constant) uniform Push { uint count; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  words[i] = words[i] * 3u + sources[nonuniformEXT((i * 7u) % count)].word;
}
