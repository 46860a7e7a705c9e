#version 450
// A picture sampled along its diagonal, from well before its beginning to well after its end.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Texels { vec4 texels[]; };
layout(set = 0, binding = 1) uniform sampler2D picture;

void main() {
  float at = float(gl_GlobalInvocationID.x) / 128.0 - 0.5;
  texels[gl_GlobalInvocationID.x] = textureLod(picture, vec2(at, at * 0.9 + 0.03), 0.0);
}
