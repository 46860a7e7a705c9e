#version 460
#extension GL_EXT_ray_query : require
// Which triangle, counted from one, each ray hits.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Hits { uint hits[]; };
layout(set = 0, binding = 1) uniform accelerationStructureEXT scene;

void main() {
  uint i = gl_GlobalInvocationID.x;
  rayQueryEXT query;
  rayQueryInitializeEXT(query, scene, gl_RayFlagsOpaqueEXT, 0xff, vec3(float(i) * 0.5 + 0.25, 0.125, 0.0), 0.0,
                        vec3(0.0, 0.0, 1.0), 100.0);
  while (rayQueryProceedEXT(query)) {}
  bool hit = rayQueryGetIntersectionTypeEXT(query, true) == gl_RayQueryCommittedIntersectionTriangleEXT;
  hits[i] = hit ? uint(rayQueryGetIntersectionPrimitiveIndexEXT(query, true)) + 1u : 0u;
}
