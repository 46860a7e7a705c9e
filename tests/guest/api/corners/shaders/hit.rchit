#version 460
#extension GL_EXT_ray_tracing : require
// Which triangle, counted from one.
layout(location = 0) rayPayloadInEXT uint hit;
void main() { hit = uint(gl_PrimitiveID) + 1u; }
