#version 450
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
// One product of two matrices of halves, plus one.
layout(local_size_x_id = 3) in;
layout(constant_id = 0) const uint M = 16u;
layout(constant_id = 1) const uint N = 16u;
layout(constant_id = 2) const uint K = 16u;
layout(set = 0, binding = 0) buffer A { float16_t a[]; };
layout(set = 0, binding = 1) buffer B { float16_t b[]; };
layout(set = 0, binding = 2) buffer Result { float result[]; };

void main() {
  coopmat<float16_t, gl_ScopeSubgroup, M, K, gl_MatrixUseA> left;
  coopmat<float16_t, gl_ScopeSubgroup, K, N, gl_MatrixUseB> right;
  coopMatLoad(left, a, 0, K, gl_CooperativeMatrixLayoutRowMajor);
  coopMatLoad(right, b, 0, N, gl_CooperativeMatrixLayoutRowMajor);
  coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator> sum =
      coopmat<float, gl_ScopeSubgroup, M, N, gl_MatrixUseAccumulator>(1.0);
  sum = coopMatMulAdd(left, right, sum);
  coopMatStore(sum, result, 0, N, gl_CooperativeMatrixLayoutRowMajor);
}
