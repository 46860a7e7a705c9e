// Fills a command's outputs in place, as a driver does: every value random, the same for the same
// seed. What the caller decides stays: handles, counts, how structures are chained. One thread.
#pragma once

#include <bit>
#include <random>
#include <type_traits>

#include "protocol/fields.h"
#include "protocol/tables.h"
#include "venus/codec/chain.h"

namespace pvgpu::venus::testing {

// The codec, for protocol::reply().
class OutputFiller {
 public:
  explicit OutputFiller(uint64_t seed) : random_(seed) {}

  template <class T>
  void scalar(T& value) {
    if constexpr (std::is_same_v<T, VkResult>) {
      return;  // decides which outputs there are
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(random_() & 0x7fffffff);
    } else if constexpr (sizeof(T) == 8) {
      value = std::bit_cast<T>(random_());
    } else if constexpr (sizeof(T) == 4) {
      value = std::bit_cast<T>(static_cast<uint32_t>(random_()));
    } else {
      value = static_cast<T>(random_());
    }
  }
  template <class T>
  void count(T&) {}
  template <class H>
  void handle(H&, uint32_t) {}
  template <class T>
  void structure(T& value) {
    if constexpr (protocol::Meta<T>::kUnion) {
      tagged(value);
    } else {
      if constexpr (protocol::Meta<T>::kHasType) chain(value.pNext);
      protocol::members(*this, value);
    }
  }
  template <class T>
  void tagged(T& value) {
    selected(value, protocol::Meta<T>::kWriteTag);
  }
  template <class T>
  void selected(T& value, uint32_t tag) {
    protocol::members(*this, value, tag);
  }
  void bad_tag(uint32_t) {}

  template <class T>
  void pointer(T* value, uint32_t) {
    if (value) element(*value);
  }
  template <class T>
  void count_pointer(T*, uint32_t) {}
  template <class T>
  void array(T* values, uint64_t n, uint32_t) {
    for (uint64_t i = 0; values && i < n; ++i) element(values[i]);
  }
  void blob(void* data, uint64_t n, uint32_t) {
    for (uint64_t i = 0; data && i < n; ++i)
      static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(random_());
  }
  template <class T, size_t N>
  void fixed(T (&values)[N]) {
    for (T& value : values) element(value);
  }
  template <size_t N>
  void fixed_blob(uint8_t (&values)[N]) {
    blob(values, N, 0);
  }
  template <size_t N>
  void fixed_string(char (&text)[N]) {
    for (char& letter : text) letter = static_cast<char>('a' + random_() % 26);
    text[N - 1] = '\0';
  }
  // Inputs, in structures that are outputs elsewhere.
  void blob(const void*, uint64_t, uint32_t) {}
  void string(const char*, uint32_t) {}
  void string_array(const char* const*, uint64_t, uint32_t) {}
  template <class T, class RowLength>
  void rows(const T* const*, uint64_t, RowLength, uint32_t) {}
  void null(const void*) {}

 private:
  template <class T>
  void element(T& value) {
    if constexpr (std::is_const_v<T> || std::is_pointer_v<T>) {
      return;
    } else if constexpr (std::is_class_v<T> || std::is_union_v<T>) {
      structure(value);
    } else {
      scalar(value);
    }
  }
  void chain(const void* next);

  std::mt19937_64 random_;
};

}  // namespace pvgpu::venus::testing

namespace pvgpu::venus {
extern template struct ChainBodies<testing::OutputFiller>;
}
