#version 450
#extension GL_EXT_multiview : require
layout(location = 0) out vec4 color;
void main() {
  color = vec4(float(gl_ViewIndex + 1) * 50.0 / 255.0, floor(gl_FragCoord.xy) / 255.0, 1.0);
}
