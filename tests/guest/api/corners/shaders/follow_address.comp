#version 450
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
// Follows a list, which has no end, from node to node and leaves its sum in the first.
layout(local_size_x = 1) in;
layout(buffer_reference) buffer Node;
layout(buffer_reference, std430, buffer_reference_align = 8) buffer Node { uint64_t next; uint value; uint sum; };
layout(push_constant) uniform Push { uint64_t first; uint count; };

void main() {
  uint sum = 0u;
  uint64_t at = first;
  for (uint i = 0u; i < count; ++i) {
    sum = sum * 5u + Node(at).value;
    at = Node(at).next;
  }
  Node(first).sum = sum;
}
