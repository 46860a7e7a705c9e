#version 450
// A picture whose every pixel is known, as words of blue, green, red and nothing.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) writeonly buffer Output { uint words[]; } picture;
layout(push_constant) uniform Push { uint width; uint height; uint seed; } push;

void main() {
  uint index = gl_GlobalInvocationID.x, x = index % push.width, y = index / push.width;
  if (y >= push.height) return;
  picture.words[index] = (x & 255u) << 16 | (y & 255u) << 8 | (((x ^ y) + push.seed) & 255u);
}
