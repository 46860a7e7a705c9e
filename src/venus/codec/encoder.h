// Writes Vulkan structures in the wire's form. The host writes replies with it; tests and tools write
// requests, which makes it the guest's side too. Handles are written as they are: the caller has put
// object ids in their place. Structures in a chain that the protocol does not carry are left out.
// One thread. Source: Venus protocol reference, sections 3.1 to 3.6.
#pragma once

#include <bit>
#include <cstring>
#include <type_traits>

#include "protocol/fields.h"
#include "protocol/tables.h"
#include "venus/codec/chain.h"
#include "wire/writer.h"

namespace pvgpu::venus {

class Encoder {
 public:
  explicit Encoder(wire::Writer& writer) : w_(writer) {}

  template <class T>
  void scalar(const T& value) {
    if constexpr (sizeof(T) == 8) {
      w_.u64(std::bit_cast<uint64_t>(value));
    } else if constexpr (sizeof(T) == 4) {
      w_.u32(std::bit_cast<uint32_t>(value));
    } else {
      w_.u32(static_cast<uint32_t>(value));
    }
  }
  template <class T>
  void count(const T& value) { scalar(value); }
  template <class H>
  void handle(const H& value, uint32_t) { w_.u64(std::bit_cast<uint64_t>(value)); }
  template <class T>
  void structure(T& value) {
    if constexpr (protocol::Meta<T>::kUnion) {
      tagged(value);
    } else {
      if constexpr (protocol::Meta<T>::kHasType) {
        w_.u32(static_cast<uint32_t>(protocol::Meta<T>::kType));
        chain(*this, value.pNext, protocol::Meta<T>::kId);
      }
      protocol::members(*this, value);
    }
  }
  template <class T>
  void tagged(T& value) { selected(value, protocol::Meta<T>::kWriteTag); }
  template <class T>
  void selected(T& value, uint32_t tag) {
    w_.u32(tag);
    protocol::members(*this, value, tag);
  }
  void bad_tag(uint32_t) {}

  template <class T>
  void pointer(T* value, uint32_t flags) {
    w_.u64(value != nullptr);
    if (value) element(*value, flags);
  }
  template <class T>
  void count_pointer(T* value, uint32_t flags) { pointer(value, flags); }
  template <class T>
  void array(T* values, uint64_t n, uint32_t flags) {
    if (!values) n = 0;
    w_.u64(n);
    if constexpr (!std::is_pointer_v<T> && !std::is_class_v<T> && !std::is_union_v<T> && sizeof(T) >= 4) {
      w_.bytes(values, n * sizeof(T));
    } else {
      for (uint64_t i = 0; i < n && !w_.overflowed(); ++i) element(values[i], flags);
    }
  }
  void blob(const void* data, uint64_t n, uint32_t) {
    if (!data) n = 0;
    w_.u64(n);
    w_.bytes(data, n);
  }
  void string(const char* text, uint32_t) {
    const uint64_t n = text ? std::strlen(text) + 1 : 0;
    w_.u64(n);
    w_.bytes(text, n);
  }
  void string_array(const char* const* texts, uint64_t n, uint32_t) {
    if (!texts) n = 0;
    w_.u64(n);
    for (uint64_t i = 0; i < n; ++i) string(texts[i], 0);
  }
  template <class T, class RowLength>
  void rows(const T* const* values, uint64_t n, RowLength row_length, uint32_t flags) {
    if (!values) n = 0;
    w_.u64(n);
    for (uint64_t i = 0; i < n; ++i) array(values[i], row_length(i), flags);
  }
  template <class T, size_t N>
  void fixed(T (&values)[N]) {
    w_.u64(N);
    for (T& value : values) element(value, 0);
  }
  template <size_t N>
  void fixed_blob(const uint8_t (&values)[N]) {
    w_.u64(N);
    w_.bytes(values, N);
  }
  template <size_t N>
  void fixed_string(const char (&text)[N]) {
    w_.u64(N);
    w_.bytes(text, N);
  }
  void null(const void*) { w_.u64(0); }

  // What a guest sends of outputs: enough to know what to fill in.
  class Shape {
   public:
    explicit Shape(Encoder& whole) : e_(whole) {}
    template <class T>
    void scalar(const T&) {}
    template <class T>
    void count(const T& value) { e_.scalar(value); }
    template <class H>
    void handle(const H& value, uint32_t flags) { e_.handle(value, flags); }
    template <class T>
    void structure(T& value) {
      if constexpr (protocol::Meta<T>::kUnion) {
        return;
      } else {
        if constexpr (protocol::Meta<T>::kHasType) {
          e_.w_.u32(static_cast<uint32_t>(protocol::Meta<T>::kType));
          e_.chain(*this, value.pNext, protocol::Meta<T>::kId);
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
    void pointer(T* value, uint32_t) {
      e_.w_.u64(value != nullptr);
      if (value) element(*value);
    }
    template <class T>
    void array(T* values, uint64_t n, uint32_t) {
      if (!values) n = 0;
      e_.w_.u64(n);
      for (uint64_t i = 0; i < n && !e_.w_.overflowed(); ++i) element(values[i]);
    }
    void blob(const void* data, uint64_t n, uint32_t) { e_.w_.u64(data ? n : 0); }
    template <class T, size_t N>
    void fixed(T (&values)[N]) {
      if constexpr (std::is_pointer_v<T> || std::is_class_v<T> || std::is_union_v<T>) {
        e_.w_.u64(N);
        for (T& value : values) element(value);
      }
    }
    template <size_t N>
    void fixed_blob(const uint8_t (&)[N]) {}
    template <size_t N>
    void fixed_string(const char (&)[N]) {}
    void null(const void*) { e_.w_.u64(0); }
    void string(const char*, uint32_t) { e_.w_.u64(0); }
    void string_array(const char* const*, uint64_t, uint32_t) { e_.w_.u64(0); }
    template <class T, class RowLength>
    void rows(const T* const*, uint64_t, RowLength, uint32_t) { e_.w_.u64(0); }

   private:
    template <class T>
    void element(T& value) {
      using U = std::remove_const_t<T>;
      if constexpr (std::is_pointer_v<U>) {
        handle(value, 0);
      } else if constexpr (std::is_class_v<U> || std::is_union_v<U>) {
        structure(const_cast<U&>(value));
      }
    }
    Encoder& e_;
  };
  Shape shape() { return Shape(*this); }

 private:
  template <class T>
  void element(T& value, uint32_t flags) {
    using U = std::remove_const_t<T>;
    if constexpr (std::is_pointer_v<U>) {
      handle(value, flags);
    } else if constexpr (std::is_class_v<U> || std::is_union_v<U>) {
      structure(const_cast<U&>(value));
    } else {
      scalar(value);
    }
  }

  template <class Codec>
  void chain(Codec& codec, const void* next, uint32_t parent) {
    const auto* link = static_cast<const VkBaseInStructure*>(next);
    uint32_t index = protocol::kNoChain;
    for (; link; link = link->pNext) {
      index = protocol::find_chain_struct(link->sType);
      if (index != protocol::kNoChain && protocol::kChainStructs[index].extends(parent)) break;
    }
    w_.u64(link != nullptr);
    if (!link) return;
    w_.u32(static_cast<uint32_t>(link->sType));
    chain(codec, link->pNext, parent);
    ChainBodies<Codec>::kTable[index](codec, const_cast<VkBaseInStructure*>(link));
  }

  wire::Writer& w_;
};

extern template struct ChainBodies<Encoder>;
extern template struct ChainBodies<Encoder::Shape>;

}  // namespace pvgpu::venus
