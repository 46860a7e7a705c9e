// Where a command ends, without making anything of it: for who passes commands on as they are. As much is looked at as lengths depend
// on; whether the command is right is left to who decodes it.
#pragma once

#include <cstring>
#include <type_traits>

#include "venus/codec/decoder.h"
#include "venus/codec/request_size.h"

namespace pvgpu::venus {

// Goes over what a StraightDecoder reads.
class LengthCodec {
 public:
  // See StraightDecoder.
  LengthCodec(const std::byte* at, size_t slack) : at_(at), slack_(slack) {}

  bool failed() const { return failed_; }
  const std::byte* position() const { return at_; }

  template <class T>
  void scalar(T&) { at_ += std::max<size_t>(sizeof(T), 4); }
  template <class T>
  void count(T& value) { scalar(value); }
  template <class H>
  void handle(H&, uint32_t) { at_ += 8; }
  template <class T>
  void structure(T& value) {
    if constexpr (kIsPackedStruct<T>) {
      at_ += sizeof(T);
    } else {
      if constexpr (protocol::Meta<T>::kHasType) {
        at_ += 4;
        failed_ |= read() != 0;  // a chain
      }
      protocol::members(*this, value);
    }
  }
  template <class T>
  void pointer(T*& out, uint32_t) {
    out = &kAbsent<std::remove_const_t<T>>;
    elements<std::remove_const_t<T>>(read() != 0);
  }
  template <class T>
  void count_pointer(T*& out, uint32_t flags) { pointer(out, flags); }
  template <class T>
  void array(T*&, uint64_t, uint32_t) { elements<std::remove_const_t<T>>(read()); }
  template <class T>
  void blob(T*&, uint64_t, uint32_t) {
    const uint64_t n = read();
    if (reserve(n, 1) && reserve(-n % 4, 1)) at_ += n + -n % 4;
  }
  template <class T, size_t N>
  void fixed(T (&)[N]) {
    failed_ |= read() != N;
    for (size_t i = 0; i < N; ++i) element<T>();
  }
  template <size_t N>
  void fixed_blob(uint8_t (&)[N]) {
    failed_ |= read() != N;
    at_ += (N + 3) / 4 * 4;
  }
  template <class T>
  void null(T*&) { at_ += 8; }

 private:
  uint64_t read() {
    uint64_t value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  template <class U>
  void element() {
    U value{};
    if constexpr (kIsHandle<U>) {
      handle(value, 0);
    } else if constexpr (kIsStruct<U>) {
      structure(value);
    } else {
      scalar(value);
    }
  }
  template <class U>
  void elements(uint64_t n) {
    constexpr RequestSize kSize = wire_size<U>();
    constexpr size_t kBytes = kIsPacked<U> ? sizeof(U) : kSize.least;
    if (!reserve(n, kBytes)) return;
    if constexpr (kIsPacked<U> || kSize.exact) {
      at_ += n * kBytes;
    } else {
      for (uint64_t i = 0; i < n && !failed_; ++i) element<U>();
    }
  }
  bool reserve(uint64_t n, size_t bytes) {
    failed_ |= n >> 32 != 0 || n * bytes > slack_;
    if (failed_) [[unlikely]] return false;
    slack_ -= n * bytes;
    return true;
  }

  const std::byte* at_;
  size_t slack_;
  bool failed_ = false;
};

// Of the arguments at `arguments`, where kRequestSize::least bytes are and `slack` bytes more; 0: there is less, or the command is
// wrong or unusual.
template <class Args>
size_t request_length(const std::byte* arguments, size_t slack) {
  if constexpr (kRequestSize<Args>.exact) {
    return kRequestSize<Args>.least;
  } else {
    LengthCodec codec(arguments, slack);
    Args args{};
    protocol::request(codec, args);
    return codec.failed() ? 0 : static_cast<size_t>(codec.position() - arguments);
  }
}

}  // namespace pvgpu::venus
