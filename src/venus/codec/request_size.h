// What a command's arguments take on the wire, found out at compile time by a codec that adds up. Source: Venus protocol
// reference, sections 3.1 to 3.4.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "protocol/fields.h"

namespace pvgpu::venus {

struct RequestSize {
  size_t least = 0;      // what always travels
  bool exact = true;     // that is all there ever is
  bool straight = true;  // a StraightDecoder can read it
};

template <class T>
constexpr RequestSize wire_size();

// What a pointer that must not be null, and is, points to instead: lengths are looked up through it.
template <class T>
inline constexpr T kAbsent{};

class SizeCodec {
 public:
  constexpr RequestSize size() const { return size_; }

  template <class T>
  constexpr void scalar(T&) { size_.least += std::max<size_t>(sizeof(T), 4); }
  template <class T>
  constexpr void count(T& value) { scalar(value); }
  template <class H>
  constexpr void handle(H&, uint32_t) { size_.least += 8; }
  template <class T>
  constexpr void structure(T&) { add(wire_size<T>(), 1); }
  template <class T>
  constexpr void pointer(T*& out, uint32_t) {
    if constexpr (std::is_const_v<T>) out = &kAbsent<std::remove_const_t<T>>;
    variable<T>();
  }
  template <class T>
  constexpr void count_pointer(T*& out, uint32_t flags) { pointer(out, flags); }
  template <class T>
  constexpr void array(T*&, uint64_t, uint32_t) { variable<T>(); }
  template <class T>
  constexpr void blob(T*&, uint64_t, uint32_t) { variable<uint32_t>(); }
  template <class T, size_t N>
  constexpr void fixed(T (&)[N]) {
    size_.least += 8;
    add(wire_size<T>(), N);
  }
  template <size_t N>
  constexpr void fixed_blob(uint8_t (&)[N]) { size_.least += 8 + (N + 3) / 4 * 4; }
  template <class T>
  constexpr void null(T*&) { size_.least += 8; }

  // What is read value by value, with a look at the end for each.
  template <class T>
  constexpr void tagged(T&) { give_up(); }
  template <class T>
  constexpr void selected(T&, uint32_t) { give_up(); }
  constexpr void string(const char*&, uint32_t) { give_up(); }
  constexpr void string_array(const char* const*&, uint64_t, uint32_t) { give_up(); }
  template <size_t N>
  constexpr void fixed_string(char (&)[N]) { give_up(); }
  template <class T, class RowLength>
  constexpr void rows(const T* const*&, uint64_t, RowLength, uint32_t) { give_up(); }
  constexpr SizeCodec& shape() {
    give_up();
    return *this;
  }

 private:
  constexpr void add(RequestSize size, size_t times) {
    size_.least += size.least * times;
    size_.exact = size_.exact && size.exact;
    size_.straight = size_.straight && size.straight;
  }
  // A count or a presence, and then as many T as it says.
  template <class T>
  constexpr void variable() {
    size_.straight = size_.straight && wire_size<std::remove_const_t<T>>().straight;
    size_.least += 8;
    size_.exact = false;
  }
  constexpr void give_up() { size_.exact = size_.straight = false; }

  RequestSize size_;
};

// Of an element: a structure, a handle or a scalar.
template <class T>
constexpr RequestSize wire_size() {
  if constexpr (std::is_union_v<T>) {
    return {0, false, false};
  } else if constexpr (std::is_class_v<T>) {
    SizeCodec codec;
    T value{};
    protocol::members(codec, value);
    RequestSize size = codec.size();
    if constexpr (protocol::Meta<T>::kHasType) {
      size.least += 12;  // its type, and whether a chain follows
      size.exact = false;
    }
    return size;
  } else {
    return {std::is_pointer_v<T> ? size_t{8} : std::max<size_t>(sizeof(T), 4), true, true};
  }
}

template <class Args>
constexpr RequestSize request_size() {
  SizeCodec codec;
  Args args{};
  protocol::request(codec, args);
  return codec.size();
}
template <class Args>
inline constexpr RequestSize kRequestSize = request_size<Args>();

// Recorded commands that CommandEntry::run_quick is for.
template <class Args>
inline constexpr bool kIsQuickCommand = kRequestSize<Args>.straight && std::string_view(Args::kName).starts_with("vkCmd");

}  // namespace pvgpu::venus
