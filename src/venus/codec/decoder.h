// Rebuilds Vulkan structures from untrusted bytes, in an arena. Every value is read once and checked
// before use; the first error makes everything after it zero or empty, and the caller asks once, after
// the whole command. Strings, byte blobs and arrays whose elements look in memory as on the wire stay where
// they are: the bytes must outlive the structures and nobody may write them meanwhile.
//
// `Handles` gives object ids a meaning: see handles.h (the host's) and RawHandles below.
// One thread. Source: Venus protocol reference, sections 3.1 to 3.6.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "protocol/fields.h"
#include "protocol/tables.h"
#include "venus/codec/chain.h"
#include "venus/poison.h"
#include "wire/arena.h"
#include "wire/reader.h"

namespace pvgpu::venus {

inline constexpr uint32_t kMaxChainLength = 256;
inline constexpr uint32_t kMaxChainDepth = 16;

struct DecodeError {
  PoisonReason reason;
  uint64_t value;            // the offending count, id, tag or type
  const char* want = "";     // for objects: the type that was expected
  const char* have = "";     // for objects: the type that was found
};

// Leaves ids as they are: for tools, tests and commands that want ids.
struct RawHandles {
  template <class H>
  bool translate(uint64_t id, bool, H& out) {
    out = std::bit_cast<H>(id);
    return true;
  }
  DecodeError error() const { return {PoisonReason::kUnknownObject, 0}; }
};

template <class T>
inline constexpr bool kIsHandle = std::is_pointer_v<T>;
template <class T>
inline constexpr bool kIsStruct = std::is_class_v<T> || std::is_union_v<T>;
// Structures that look on the wire as they do in memory.
template <class T>
constexpr bool is_packed_struct() {
  if constexpr (kIsStruct<T>) {
    if constexpr (protocol::Meta<T>::kTravels) return protocol::Meta<T>::kPackedBytes == sizeof(T);
  }
  return false;
}
template <class T>
inline constexpr bool kIsPackedStruct = is_packed_struct<T>();
// What arrays are taken of as they are.
template <class T>
inline constexpr bool kIsPacked = (!kIsHandle<T> && !kIsStruct<T> && sizeof(T) >= 4) || kIsPackedStruct<T>;

template <class Handles>
class Decoder {
 public:
  Decoder(wire::Reader& reader, wire::Arena& arena, Handles& handles)
      : reader_(reader), arena_(arena), handles_(handles) {}

  bool failed() const { return reader_.failed(); }
  // Valid once failed(); a read past the end is kTruncated.
  const DecodeError& error() const { return error_; }
  void fail(PoisonReason reason, uint64_t value) {
    if (!reader_.failed()) error_ = {reason, value};
    reader_.fail();
  }

  // -- inputs, whole --
  template <class T>
  void scalar(T& value) {
    if constexpr (sizeof(T) == 8) {
      value = std::bit_cast<T>(reader_.u64());
    } else if constexpr (sizeof(T) == 4) {
      value = std::bit_cast<T>(reader_.u32());
    } else {
      value = static_cast<T>(reader_.u32());
    }
  }
  template <class T>
  void count(T& value) { scalar(value); }
  template <class H>
  void handle(H& value, uint32_t flags) {
    const uint64_t id = reader_.u64();
    if (!failed() && handles_.translate(id, flags & protocol::kNullElements, value)) [[likely]] return;
    if (!failed()) error_ = handles_.error();
    reader_.fail();
    value = H{};
  }
  template <class T>
  void structure(T& value) {
    if constexpr (protocol::Meta<T>::kUnion) {
      tagged(value);
    } else if constexpr (kIsPackedStruct<T>) {
      const std::byte* bytes = reader_.bytes(sizeof(T));
      if (bytes) [[likely]] std::memcpy(&value, bytes, sizeof(T));
      else value = T{};
    } else {
      if constexpr (protocol::Meta<T>::kHasType) {
        check_type(value.sType, protocol::Meta<T>::kType);
        value.pNext = chain(*this, protocol::Meta<T>::kId);
      }
      protocol::members(*this, value);
    }
  }
  template <class T>
  void tagged(T& value) { protocol::members(*this, value, reader_.u32()); }
  template <class T>
  void selected(T& value, uint32_t selector) {
    const uint32_t tag = reader_.u32();
    if (tag != selector) return bad_tag(tag);
    protocol::members(*this, value, tag);
  }
  void bad_tag(uint32_t tag) { fail(PoisonReason::kBadUnionTag, tag); }

  template <class T>
  void pointer(T*& out, uint32_t flags) {
    using U = std::remove_const_t<T>;
    if (!present(flags)) {
      // A failed command is never executed, but length expressions still look through its pointers.
      out = failed() ? one<U>() : nullptr;
      return;
    }
    U* made = one<U>();
    element(*made, flags);
    out = made;
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
      out = packed<T>(n);
    } else {
      constexpr size_t kLeast = kIsHandle<U> ? 8 : 4;
      if (n > reader_.remaining() / kLeast) return fail(PoisonReason::kTruncated, n);
      U* made = many<U>(n);
      for (uint64_t i = 0; made && i < n && !failed(); ++i) element(made[i], flags);
      out = made;
    }
  }
  template <class T>
  void blob(T*& out, uint64_t expected, uint32_t flags) {
    out = nullptr;
    const uint64_t n = array_count(expected, flags);
    if (n == 0) return;
    const std::byte* bytes = reader_.bytes(n);
    if (!bytes) return fail(PoisonReason::kTruncated, n);
    if constexpr (std::is_const_v<T>) {
      out = reinterpret_cast<T*>(bytes);
    } else {
      std::byte* copy = many<std::byte>(n);
      if (copy) std::memcpy(copy, bytes, n);
      out = reinterpret_cast<T*>(copy);
    }
  }
  void string(const char*& out, uint32_t flags) {
    out = nullptr;
    const uint64_t n = reader_.u64();
    if (n == 0) {
      if (!(flags & protocol::kOptional)) fail(PoisonReason::kBadPresence, 0);
      return;
    }
    const auto* text = reinterpret_cast<const char*>(reader_.bytes(n));
    if (!text) return fail(PoisonReason::kTruncated, n);
    if (text[n - 1] != '\0') return fail(PoisonReason::kBadCount, n);
    out = text;
  }
  void string_array(const char* const*& out, uint64_t expected, uint32_t flags) {
    out = nullptr;
    const uint64_t n = array_count(expected, flags);
    if (n == 0) return;
    if (n > reader_.remaining() / 8) return fail(PoisonReason::kTruncated, n);
    const char** made = many<const char*>(n);
    for (uint64_t i = 0; made && i < n && !failed(); ++i) string(made[i], 0);
    out = made;
  }
  template <class T, class RowLength>
  void rows(const T* const*& out, uint64_t expected, RowLength row_length, uint32_t flags) {
    out = nullptr;
    const uint64_t n = array_count(expected, flags);
    if (n == 0) return;
    if (n > reader_.remaining() / 8) return fail(PoisonReason::kTruncated, n);
    const T** made = many<const T*>(n);
    for (uint64_t i = 0; made && i < n && !failed(); ++i) array(made[i], row_length(i), 0);
    out = made;
  }
  template <class T, size_t N>
  void fixed(T (&out)[N]) {
    if (!fixed_count(N)) return;
    for (size_t i = 0; i < N && !failed(); ++i) element(out[i], protocol::kNullElements);
  }
  template <size_t N>
  void fixed_blob(uint8_t (&out)[N]) {
    if (!fixed_count(N)) return;
    if (const std::byte* bytes = reader_.bytes(N)) std::memcpy(out, bytes, N);
  }
  template <size_t N>
  void fixed_string(char (&out)[N]) {
    if (!fixed_count(N)) return;
    if (const std::byte* bytes = reader_.bytes(N)) std::memcpy(out, bytes, N);
    out[N - 1] = '\0';
  }
  // A pointer that cannot travel: the slot must say NULL.
  template <class T>
  void null(T*& out) {
    out = nullptr;
    const uint64_t presence = reader_.u64();
    if (presence) fail(PoisonReason::kBadPresence, presence);
  }

  // -- outputs, as shapes: what the driver will fill in, zeroed --
  class Shape {
   public:
    static constexpr bool kShape = true;
    explicit Shape(Decoder& whole) : d_(whole) {}
    bool failed() const { return d_.failed(); }

    template <class T>
    void scalar(T&) {}
    template <class T>
    void count(T& value) { d_.scalar(value); }
    template <class H>
    void handle(H& value, uint32_t) { value = std::bit_cast<H>(d_.reader_.u64()); }
    template <class T>
    void structure(T& value) {
      if constexpr (protocol::Meta<T>::kUnion) {
        return;
      } else {
        if constexpr (protocol::Meta<T>::kHasType) {
          d_.check_type(value.sType, protocol::Meta<T>::kType);
          value.pNext = d_.chain(*this, protocol::Meta<T>::kId);
        }
        protocol::members(*this, value);
      }
    }
    template <class T>
    void tagged(T&) {}
    template <class T>
    void selected(T&, uint32_t) {}
    void bad_tag(uint32_t) {}
    template <class T>
    void pointer(T*& out, uint32_t flags) {
      using U = std::remove_const_t<T>;
      const bool present = d_.present(flags);
      out = nullptr;
      if (!present && !failed()) return;
      U* made = d_.template one<U>();
      std::memset(static_cast<void*>(made), 0, sizeof(U));
      if (present) element(*made);
      out = made;
    }
    template <class T>
    void array(T*& out, uint64_t expected, uint32_t flags) {
      using U = std::remove_const_t<T>;
      out = nullptr;
      const uint64_t n = d_.array_count(expected, flags);
      if (n == 0) return;
      U* made = d_.template many<U>(n);
      if (!made) return;
      std::memset(static_cast<void*>(made), 0, n * sizeof(U));
      if constexpr (kIsHandle<U> || kIsStruct<U>)
        for (uint64_t i = 0; i < n && !failed(); ++i) element(made[i]);
      out = made;
    }
    template <class T>
    void blob(T*& out, uint64_t expected, uint32_t flags) {
      out = nullptr;
      const uint64_t n = d_.array_count(expected, flags);
      if (n == 0) return;
      std::byte* made = d_.template many<std::byte>(n);
      if (made) std::memset(made, 0, n);
      out = reinterpret_cast<T*>(made);
    }
    template <class T, size_t N>
    void fixed(T (&out)[N]) {
      if constexpr (kIsHandle<T> || kIsStruct<T>) {
        if (!d_.fixed_count(N)) return;
        for (T& value : out) element(value);
      }
    }
    template <size_t N>
    void fixed_blob(uint8_t (&)[N]) {}
    template <size_t N>
    void fixed_string(char (&)[N]) {}
    template <class T>
    void null(T*& out) { d_.null(out); }
    // No output has these; a guest that sends one is wrong.
    void string(const char*& out, uint32_t) { refuse(out); }
    void string_array(const char* const*& out, uint64_t, uint32_t) { refuse(out); }
    template <class T, class RowLength>
    void rows(const T* const*& out, uint64_t, RowLength, uint32_t) { refuse(out); }

   private:
    friend class Decoder;
    template <class T>
    void element(T& value) {
      if constexpr (kIsHandle<T>) {
        handle(value, 0);
      } else if constexpr (kIsStruct<T>) {
        structure(value);
      }
    }
    template <class T>
    void refuse(T*& out) {
      out = nullptr;
      d_.fail(PoisonReason::kBadPresence, 0);
    }
    Decoder& d_;
  };
  Shape shape() { return Shape(*this); }

 private:
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

  void check_type(VkStructureType& type, VkStructureType expected) {
    const uint32_t found = reader_.u32();
    type = expected;
    if (found != static_cast<uint32_t>(expected)) fail(PoisonReason::kBadStructType, found);
  }

  // The chain of a structure: all types first, then the bodies in reverse order.
  template <class Codec>
  void* chain(Codec& codec, uint32_t parent) {
    if (reader_.u64() == 0) [[likely]] return nullptr;
    return chain_slow(codec, parent);
  }
  template <class Codec>
  void* chain_slow(Codec& codec, uint32_t parent) {
    struct Link {
      uint32_t index;
      VkBaseOutStructure* body;
    };
    if (depth_ >= kMaxChainDepth) {
      fail(PoisonReason::kNestingTooDeep, depth_);
      return nullptr;
    }
    ++depth_;
    Link links[kMaxChainLength];
    uint32_t n = 0;
    do {
      const auto type = static_cast<VkStructureType>(reader_.u32());
      const uint32_t index = protocol::find_chain_struct(type);
      if (failed() || index == protocol::kNoChain || !protocol::kChainStructs[index].extends(parent)) {
        fail(PoisonReason::kUnknownStruct, static_cast<uint32_t>(type));
        break;
      }
      const size_t size = protocol::kChainStructs[index].size;
      auto* body = n < kMaxChainLength ? static_cast<VkBaseOutStructure*>(arena_.allocate(size)) : nullptr;
      if (!body) {
        fail(n < kMaxChainLength ? PoisonReason::kLimitExceeded : PoisonReason::kNestingTooDeep, n);
        break;
      }
      std::memset(static_cast<void*>(body), 0, size);
      body->sType = type;
      if (n) links[n - 1].body->pNext = body;
      links[n++] = {index, body};
    } while (reader_.u64() != 0);
    for (uint32_t i = n; i-- > 0 && !failed();) ChainBodies<Codec>::kTable[links[i].index](codec, links[i].body);
    --depth_;
    return failed() || n == 0 ? nullptr : links[0].body;
  }

  bool present(uint32_t flags) {
    if (reader_.u64() != 0) [[likely]] return true;
    if (!(flags & protocol::kOptional)) fail(PoisonReason::kBadPresence, 0);
    return false;
  }
  uint64_t array_count(uint64_t expected, uint32_t flags) {
    const uint64_t n = reader_.u64();
    if (n == expected || (n == 0 && (flags & protocol::kOptional))) [[likely]] return n;
    fail(PoisonReason::kBadCount, n);
    return 0;
  }
  bool fixed_count(size_t expected) {
    const uint64_t n = reader_.u64();
    if (n == expected) return true;
    fail(PoisonReason::kBadCount, n);
    return false;
  }

  // Never nullptr: past the arena's limit the command has failed and gets a scratch object.
  template <class T>
  T* one() {
    static_assert(sizeof(T) <= sizeof(scratch_));
    T* made = arena_.make<T>();
    if (!made || failed()) {
      if (!made) fail(PoisonReason::kLimitExceeded, sizeof(T));
      std::memset(scratch_, 0, sizeof(T));
      made = reinterpret_cast<T*>(scratch_);
    }
    return made;
  }
  template <class T>
  T* many(uint64_t n) {
    T* made = arena_.make<T>(n);
    if (!made) fail(PoisonReason::kLimitExceeded, n);
    return made;
  }
  template <class T>
  T* packed(uint64_t n) {
    using U = std::remove_const_t<T>;
    if (n > reader_.remaining() / sizeof(U)) {
      fail(PoisonReason::kTruncated, n);
      return nullptr;
    }
    const std::byte* bytes = reader_.bytes(n * sizeof(U));
    if (std::is_const_v<T> && reinterpret_cast<uintptr_t>(bytes) % alignof(U) == 0)
      return reinterpret_cast<T*>(const_cast<std::byte*>(bytes));
    U* copy = many<U>(n);
    if (copy) std::memcpy(copy, bytes, n * sizeof(U));
    return copy;
  }

  wire::Reader& reader_;
  wire::Arena& arena_;
  Handles& handles_;
  DecodeError error_{PoisonReason::kTruncated, 0};
  uint32_t depth_ = 0;
  alignas(8) std::byte scratch_[4096];
};

}  // namespace pvgpu::venus
