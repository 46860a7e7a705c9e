// Structures of callers who may have been compiled with an older or a newer header: they begin with their size.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace pvgpu::library {

// Copies `given` into `out`, whose members that the caller does not know become zero. 0, or -EINVAL: smaller than
// `first_size`, which the structure had in its first version; -E2BIG: it says something that this library does not know.
template <class T>
int read_versioned(const T* given, size_t first_size, T& out) {
  static_assert(offsetof(T, size) == 0);
  // No structure of any version is longer: the size is not one.
  constexpr size_t kLongest = 4096;
  if (!given || given->size < first_size) return -EINVAL;
  if (given->size > kLongest) return -E2BIG;
  const auto* bytes = reinterpret_cast<const char*>(given);
  if (given->size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + given->size, [](char byte) { return byte != 0; }))
    return -E2BIG;
  out = T{};
  std::memcpy(&out, given, std::min(given->size, sizeof(T)));
  return 0;
}

}  // namespace pvgpu::library
