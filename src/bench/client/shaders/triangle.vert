#version 450
// A triangle of about two pixels, placed by the push constant.
layout(push_constant) uniform Place { vec2 place; };
// Makes pipelines differ, so that no cache of a driver has seen them.
layout(constant_id = 0) const int kVariant = 0;

void main() {
  vec2 corner = vec2(gl_VertexIndex & 1, gl_VertexIndex >> 1) / 32.0;
  gl_Position = vec4(place + corner, float(kVariant & 1) * 0.5, 1.0);
}
