#version 450
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_KHR_shader_subgroup_shuffle : require
#extension GL_KHR_shader_subgroup_vote : require
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) buffer Results { uvec4 results[]; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  uint value = i * 2654435761u;
  uvec4 odd = subgroupBallot((value & 1u) == 1u);
  results[i] = uvec4(subgroupInclusiveAdd(value), subgroupBallotBitCount(odd),
                     subgroupShuffleXor(value, 1u), subgroupMax(value) + (subgroupAll(value != 7u) ? 1u : 0u));
}
