#version 450
// Floating point, whose last bits are the driver's own: native and guest must have the same ones, being the same driver.
layout(local_size_x_id = 0) in;
layout(set = 0, binding = 0) readonly buffer Input { uint words[]; } source;
layout(set = 0, binding = 1) buffer Output { uint words[]; } result;
layout(set = 0, binding = 2) buffer Total { uint sum; uint largest; } total;
layout(push_constant) uniform Push { uint seed; } push;

void main() {
  uint index = gl_GlobalInvocationID.x;
  float x = float(source.words[index] & 0xffffffu) / 65536.0 + float(push.seed);
  float y = sin(x) * sqrt(x) + exp2(fract(x)) / (1.0 + x) + fma(x, 0.1, 0.7) + inversesqrt(x + 1.0) + log(x + 2.0);
  result.words[index] = (index & 1u) == 0u ? floatBitsToUint(y) : packHalf2x16(vec2(y, atan(y, x)));
}
