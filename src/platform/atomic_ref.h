// std::atomic_ref, as far as this project uses it, for standard libraries that have none. Included before everything else
// where the build finds it missing (CMakeLists.txt).
#pragma once

#include <atomic>

#ifndef __cpp_lib_atomic_ref

namespace std {

template <class T>
class atomic_ref {
 public:
  static constexpr bool is_always_lock_free = __atomic_always_lock_free(sizeof(T), nullptr);
  static constexpr size_t required_alignment = alignof(T);

  explicit atomic_ref(T& object) : object_(&object) {}
  T load(memory_order order = memory_order_seq_cst) const { return __atomic_load_n(object_, int(order)); }
  void store(T value, memory_order order = memory_order_seq_cst) const { __atomic_store_n(object_, value, int(order)); }
  T exchange(T value, memory_order order = memory_order_seq_cst) const { return __atomic_exchange_n(object_, value, int(order)); }
  bool compare_exchange_strong(T& expected, T desired, memory_order order = memory_order_seq_cst) const {
    const auto failure = order == memory_order_acq_rel ? memory_order_acquire : order == memory_order_release ? memory_order_relaxed : order;
    return __atomic_compare_exchange_n(object_, &expected, desired, false, int(order), int(failure));
  }
  T fetch_add(T value, memory_order order = memory_order_seq_cst) const { return __atomic_fetch_add(object_, value, int(order)); }
  T fetch_sub(T value, memory_order order = memory_order_seq_cst) const { return __atomic_fetch_sub(object_, value, int(order)); }
  T fetch_or(T value, memory_order order = memory_order_seq_cst) const { return __atomic_fetch_or(object_, value, int(order)); }
  T fetch_and(T value, memory_order order = memory_order_seq_cst) const { return __atomic_fetch_and(object_, value, int(order)); }

 private:
  T* object_;
};

}  // namespace std

#endif
