#version 450
layout(local_size_x = 64) in;
layout(constant_id = 0) const int kVariant = 0;
layout(push_constant) uniform Start { uint start; };
shared uint partial[64];

void main() {
  partial[gl_LocalInvocationIndex] = start * gl_GlobalInvocationID.x + uint(kVariant);
  barrier();
  for (uint step = 32; step > 0; step /= 2) {
    if (gl_LocalInvocationIndex < step) partial[gl_LocalInvocationIndex] += partial[gl_LocalInvocationIndex + step];
    barrier();
  }
}
