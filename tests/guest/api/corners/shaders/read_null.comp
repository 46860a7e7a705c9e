#version 450
// What null descriptors give: nothing, and no end of the device.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Words { uint words[]; };
layout(set = 0, binding = 1) buffer Nothing { uint nothing[]; };
layout(set = 0, binding = 2) uniform sampler2D no_picture;
layout(set = 0, binding = 3) uniform samplerBuffer no_texels;

void main() {
  uint i = gl_GlobalInvocationID.x;
  nothing[i] = 5u;
  words[i] = 1000u + nothing[i + 1u] + uint(nothing.length()) + uint(texelFetch(no_picture, ivec2(i), 0).r * 255.0) +
             uint(texelFetch(no_texels, int(i)).r * 255.0);
}
