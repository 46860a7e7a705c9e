#version 450
// A square for each point.
layout(points) in;
layout(triangle_strip, max_vertices = 4) out;
void main() {
  for (int i = 0; i < 4; ++i) {
    gl_Position = gl_in[0].gl_Position + vec4(float(i & 1) * 0.22, float(i >> 1) * 0.17, 0.0, 0.0);
    EmitVertex();
  }
  EndPrimitive();
}
