#version 450
layout(constant_id = 0) const int kVariant = 0;
layout(location = 0) out vec4 color;

void main() { color = vec4(1.0, 0.5, float(kVariant % 255) / 255.0, 1.0); }
