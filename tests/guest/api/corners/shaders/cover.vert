#version 450
// Triangles that cover the whole picture, one for each three vertices, each a tenth nearer than the one before.
void main() {
  vec2 corner = vec2((gl_VertexIndex % 3) == 1 ? 3.0 : -1.0, (gl_VertexIndex % 3) == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.9 - 0.1 * float(gl_VertexIndex / 3), 1.0);
}
