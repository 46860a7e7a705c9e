#version 450
// Triangles whose edges cross pixels and whose depth changes along them.
void main() {
  const vec2 corners[6] = vec2[](vec2(-0.83, -0.71), vec2(0.77, -0.34), vec2(-0.29, 0.88),
                                 vec2(0.91, -0.93), vec2(0.13, 0.79), vec2(-0.62, 0.05));
  gl_Position = vec4(corners[gl_VertexIndex % 6], 0.1 + 0.13 * float(gl_VertexIndex % 6), 1.0);
  gl_PointSize = 1.0;
}
