#version 450
// A vector for each vertex, for transform feedback.
layout(location = 0, xfb_buffer = 0, xfb_offset = 0, xfb_stride = 16) out vec4 captured;
void main() {
  captured = vec4(float(gl_VertexIndex), float(gl_VertexIndex * gl_VertexIndex), 0.5, -1.0);
  gl_Position = vec4(0.0, 0.0, 0.0, 1.0);
}
