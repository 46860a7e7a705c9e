#version 450
layout(location = 0) out vec4 bytes;
layout(location = 1) out vec4 floats;
void main() {
  bytes = vec4(floor(gl_FragCoord.xy) / 255.0, 0.25, 1.0);
  floats = vec4(gl_FragCoord.xy, gl_FragCoord.z, gl_FrontFacing ? 1.0 : 2.0);
}
