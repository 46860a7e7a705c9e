#version 450
// A colour for each pixel that tells where it is.
layout(location = 0) out vec4 color;
void main() {
  color = vec4(floor(gl_FragCoord.xy) / 255.0, gl_FragCoord.z, 1.0);
}
