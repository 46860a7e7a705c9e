#version 450
// Whole-number arithmetic, shared memory, barriers and atomics: any correct device gives the same words (compute.cc knows them).
layout(local_size_x_id = 0) in;
layout(set = 0, binding = 0) readonly buffer Input { uint words[]; } source;
layout(set = 0, binding = 1) buffer Output { uint words[]; } result;
layout(set = 0, binding = 2) buffer Total { uint sum; uint largest; } total;
layout(push_constant) uniform Push { uint seed; } push;

shared uint neighbours[64];

uint mix_bits(uint value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  value *= 0x846ca68bu;
  return value ^ (value >> 16);
}

void main() {
  uint index = gl_GlobalInvocationID.x, lane = gl_LocalInvocationID.x;
  neighbours[lane] = mix_bits(source.words[index] + push.seed);
  barrier();
  uint other = neighbours[lane ^ 1u];
  uint value = neighbours[lane] + bitfieldExtract(other, 4, 20) * 3u + uint(bitCount(other));
  result.words[index] = value;
  atomicAdd(total.sum, value);
  atomicMax(total.largest, value);
}
