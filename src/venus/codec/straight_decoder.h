// Decodes the arguments of most commands with few instructions. What always travels (kRequestSize) is known to be there before
// anything is read, so only what varies in length is compared with what is left, and nothing is said about errors: whatever
// is wrong or rare (a chain, an unknown object) fails, and the caller starts again with the Decoder, which says what it was.
// A value of the function that decodes: with everything put in there, it lives in registers. One thread.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "venus/codec/decoder.h"
#include "venus/codec/request_size.h"
#include "wire/arena.h"

namespace pvgpu::venus {

// Leaves ids as they are, for tests.
struct StraightRawHandles {
  struct Scope {};
  template <class H>
  bool first(uint64_t id, Scope&, H& out) {
    out = std::bit_cast<H>(id);
    return true;
  }
  template <class H>
  bool find(uint64_t id, Scope, H& out) {
    out = std::bit_cast<H>(id);
    return id != 0;
  }
};

// `Handles` gives object ids a meaning: see handles.h, and StraightRawHandles above. With kIds, all ids but the first stay as they are.
template <class Handles, bool kIds = false>
class StraightDecoder {
 public:
  using Scope = Handles::Scope;  // what the first handle says of the others

  // At `at` are kRequestSize::least bytes of the command, and `slack` bytes more, of which it takes what it needs.
  StraightDecoder(const std::byte* at, size_t slack, Handles& handles, wire::Arena& arena)
      : at_(at), slack_(slack), handles_(handles), arena_(arena) {}
  // The first handle has been looked up: it is `dispatch`. The arena still has what the command before left in it.
  StraightDecoder(const std::byte* at, size_t slack, Handles& handles, wire::Arena& arena, uint64_t dispatch, Scope scope)
      : at_(at), slack_(slack), handles_(handles), arena_(arena), dispatch_(dispatch), scope_(scope), known_(true), fresh_(false) {}

  bool failed() const { return failed_; }
  // Behind the command, if nothing failed.
  const std::byte* position() const { return at_; }

  template <class T>
  [[gnu::always_inline]] void scalar(T& value) {
    if constexpr (sizeof(T) >= 4) {
      static_assert(sizeof(T) == 4 || sizeof(T) == 8);
      std::memcpy(&value, at_, sizeof(T));
      at_ += sizeof(T);
    } else {
      uint32_t wide;
      scalar(wide);
      value = static_cast<T>(wide);
    }
  }
  template <class T>
  void count(T& value) { scalar(value); }
  template <class H>
  [[gnu::always_inline]] void handle(H& value, uint32_t flags) {
    uint64_t id;
    scalar(id);
    if (!first_) {
      failed_ |= !find(id, flags & protocol::kNullElements, value);
    } else if (known_) {
      value = std::bit_cast<H>(dispatch_);
    } else {
      failed_ |= !handles_.first(id, scope_, value);
    }
    first_ = false;
  }
  template <class T>
  [[gnu::always_inline]] void structure(T& value) {
    if constexpr (kIsPackedStruct<T>) {
      std::memcpy(&value, at_, sizeof(T));
      at_ += sizeof(T);
    } else {
      if constexpr (protocol::Meta<T>::kHasType) {
        uint32_t type;
        uint64_t chain;
        scalar(type);
        scalar(chain);
        failed_ |= type != static_cast<uint32_t>(protocol::Meta<T>::kType) || chain != 0;
        value.sType = protocol::Meta<T>::kType;
        value.pNext = nullptr;
      }
      protocol::members(*this, value);
    }
  }
  template <class T>
  void pointer(T*& out, uint32_t flags) {
    using U = std::remove_const_t<T>;
    static_assert(std::is_const_v<T>);
    uint64_t present;
    scalar(present);
    out = nullptr;
    if (present == 0) {
      if (flags & protocol::kOptional) return;
      failed_ = true;
      out = &kAbsent<U>;
    } else if (U* made = take<U>(1)) [[likely]] {
      element(*made, flags);
      out = made;
    } else {
      out = &kAbsent<U>;
    }
  }
  template <class T>
  void count_pointer(T*& out, uint32_t flags) { pointer(out, flags); }
  template <class T>
  void array(T*& out, uint64_t expected, uint32_t flags) {
    using U = std::remove_const_t<T>;
    out = nullptr;
    const uint64_t n = array_count(expected, flags);
    if (n == 0) return;
    if constexpr (kIsPacked<U>) {
      if (!reserve(n, sizeof(U))) [[unlikely]] return;
      const std::byte* bytes = at_;
      at_ += n * sizeof(U);
      if (std::is_const_v<T> && reinterpret_cast<uintptr_t>(bytes) % alignof(U) == 0) {
        out = reinterpret_cast<T*>(const_cast<std::byte*>(bytes));
      } else if (std::is_const_v<T> && alignof(U) <= kWireAlignment) {  // guests do not do that
        failed_ = true;
      } else if (U* copy = make<U>(n)) [[likely]] {
        std::memcpy(static_cast<void*>(copy), bytes, n * sizeof(U));
        out = copy;
      } else {
        failed_ = true;
      }
    } else if (U* made = take<U>(n)) [[likely]] {
      for (uint64_t i = 0; i < n; ++i) element(made[i], flags);
      out = made;
    }
  }
  template <class T>
  void blob(T*& out, uint64_t expected, uint32_t flags) {
    static_assert(std::is_const_v<T>);
    out = nullptr;
    const uint64_t n = array_count(expected, flags);
    if (n == 0) return;
    const uint64_t padded = (n + 3) & ~uint64_t{3};
    if (padded - 1 >= slack_) [[unlikely]] {  // more than there is, or 0, for an `n` near 2^64
      failed_ = true;
      return;
    }
    slack_ -= padded;
    out = reinterpret_cast<T*>(at_);
    at_ += padded;
  }
  template <class T, size_t N>
  void fixed(T (&out)[N]) {
    fixed_count(N);
    for (size_t i = 0; i < N; ++i) element(out[i], protocol::kNullElements);
  }
  template <size_t N>
  void fixed_blob(uint8_t (&out)[N]) {
    fixed_count(N);
    std::memcpy(out, at_, N);
    at_ += (N + 3) / 4 * 4;
  }
  // A pointer that cannot travel: the slot must say NULL.
  template <class T>
  void null(T*& out) {
    uint64_t present;
    scalar(present);
    failed_ |= present != 0;
    out = nullptr;
  }

 private:
  static constexpr size_t kWireAlignment = 4;  // of all values

  template <class T>
  void element(T& value, uint32_t flags) {
    if constexpr (kIsHandle<T>) {
      handle(value, flags);
    } else if constexpr (kIsStruct<T>) {
      structure(value);
    } else {
      scalar(value);
    }
  }
  template <class H>
  [[gnu::always_inline]] bool find(uint64_t id, bool null_allowed, H& value) {
    if (kIds || (null_allowed && id == 0)) {
      value = std::bit_cast<H>(id);
      return id != 0 || null_allowed;
    }
    if (handles_.find(id, scope_, value)) [[likely]] return true;  // there is none for 0
    value = std::bit_cast<H>(uint64_t{0});
    return false;
  }
  // Takes `n` times `bytes` from the slack; false: there is less.
  bool reserve(uint64_t n, size_t bytes) {
    if (n >> 32 != 0 || n * bytes > slack_) [[unlikely]] {
      failed_ = true;
      return false;
    }
    slack_ -= n * bytes;
    return true;
  }
  // Room for `n` values whose bytes follow; nullptr: there are fewer bytes, or no room.
  template <class U>
  U* take(uint64_t n) {
    if (!reserve(n, wire_size<U>().least)) [[unlikely]] return nullptr;
    U* made = make<U>(n);
    failed_ |= made == nullptr;
    return made;
  }
  template <class U>
  U* make(uint64_t n) {
    if (!fresh_) arena_.reset();
    fresh_ = true;
    return arena_.make<U>(n);
  }
  uint64_t array_count(uint64_t expected, uint32_t flags) {
    uint64_t n;
    scalar(n);
    if (n == expected || (n == 0 && (flags & protocol::kOptional))) [[likely]] return n;
    failed_ = true;
    return 0;
  }
  void fixed_count(size_t expected) {
    uint64_t n;
    scalar(n);
    failed_ |= n != expected;
  }

  const std::byte* at_;
  size_t slack_;
  Handles& handles_;
  wire::Arena& arena_;
  uint64_t dispatch_ = 0;
  Scope scope_{};
  bool known_ = false;
  bool fresh_ = true;  // the arena has nothing of other commands
  bool first_ = true;
  bool failed_ = false;
};

}  // namespace pvgpu::venus
