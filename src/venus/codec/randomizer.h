// Fills argument structures with random values that a correct guest could send: lengths agree with
// their arrays, unions with their selectors, chains hold structures that extend their parent, and
// what may be absent sometimes is. The same seed gives the same values. For property tests and fuzz
// seeds. One thread. Everything made lies in the arena.
#pragma once

#include <bit>
#include <cstring>
#include <random>
#include <span>
#include <type_traits>
#include <vector>

#include "protocol/fields.h"
#include "protocol/tables.h"
#include "venus/codec/chain.h"
#include "wire/arena.h"

namespace pvgpu::venus {

class Randomizer {
 public:
  // Where ids come from that mean something.
  class Ids {
   public:
    // 0 if there is none, which is an error unless `null_allowed`.
    virtual uint64_t existing(VkObjectType type, bool null_allowed) = 0;
    virtual uint64_t fresh(VkObjectType type) = 0;

   protected:
    ~Ids() = default;
  };

  // Without `ids`, handles are any numbers.
  Randomizer(wire::Arena& arena, uint64_t seed, Ids* ids = nullptr)
      : arena_(arena), random_(seed), ids_(ids) {}

  void leave_out_chains() { chains_ = false; }

  template <class T>
  void scalar(T& value) {
    if constexpr (std::is_same_v<T, VkGeometryTypeKHR>) {
      value = static_cast<T>(below(3));  // selects a union's member
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(number() & 0x7fffffff);
    } else if constexpr (sizeof(T) == 8) {
      value = std::bit_cast<T>(number());
    } else if constexpr (sizeof(T) == 4) {
      value = std::bit_cast<T>(static_cast<uint32_t>(number()));
    } else {
      value = static_cast<T>(random_());
    }
  }
  // The length of something that follows. 4 and more, since some lengths count bytes of words.
  template <class T>
  void count(T& value) {
    static constexpr uint64_t kCounts[] = {0, 1, 1, 2, 3, 4, 8, 33};
    value = static_cast<T>(kCounts[below(depth_ > 2 ? 3 : std::size(kCounts))]);
  }
  template <class H>
  void handle(H& value, uint32_t flags) {
    constexpr VkObjectType kType = protocol::HandleMeta<H>::kType;
    const bool null_allowed = flags & protocol::kNullElements;
    uint64_t id = below(1000000) + 1;
    if (ids_) id = output_ ? ids_->fresh(kType) : ids_->existing(kType, null_allowed);
    if (!output_ && absent(null_allowed)) id = 0;
    value = std::bit_cast<H>(id);
  }
  template <class T>
  void structure(T& value) {
    if constexpr (protocol::Meta<T>::kUnion) {
      tagged(value);
    } else {
      if constexpr (protocol::Meta<T>::kHasType) {
        value.sType = protocol::Meta<T>::kType;
        value.pNext = chain(protocol::Meta<T>::kId);
      }
      ++depth_;
      protocol::members(*this, value);
      --depth_;
      // Lengths of an array beside the structure that holds them.
      if constexpr (std::is_same_v<T, VkCommandBufferAllocateInfo>) count(value.commandBufferCount);
    }
  }
  template <class T>
  void tagged(T& value) {
    protocol::members(*this, value, protocol::Meta<T>::kWriteTag);
  }
  template <class T>
  void selected(T& value, uint32_t tag) {
    protocol::members(*this, value, tag);
  }
  void bad_tag(uint32_t) {}

  template <class T>
  void pointer(T*& out, uint32_t flags) {
    out = nullptr;
    if (absent(flags & protocol::kOptional)) return;
    auto* made = arena_.make_zeroed<std::remove_const_t<T>>();
    element(*made, flags);
    out = made;
  }
  template <class T>
  void count_pointer(T*& out, uint32_t flags) {
    out = nullptr;
    if (absent(flags & protocol::kOptional)) return;
    auto* made = arena_.make_zeroed<std::remove_const_t<T>>();
    count(*made);
    out = made;
  }
  template <class T>
  void array(T*& out, uint64_t n, uint32_t flags) {
    out = nullptr;
    if (n == 0 || absent(flags & protocol::kOptional)) return;
    auto* made = arena_.make_zeroed<std::remove_const_t<T>>(n);
    for (uint64_t i = 0; i < n; ++i) element(made[i], flags);
    out = made;
  }
  template <class T>
  void blob(T*& out, uint64_t n, uint32_t flags) {
    out = nullptr;
    if (n == 0 || absent(flags & protocol::kOptional)) return;
    auto* made = arena_.make<uint8_t>(n);
    fill(made, n);
    out = reinterpret_cast<T*>(made);
  }
  void string(const char*& out, uint32_t flags) {
    out = absent(flags & protocol::kOptional) ? nullptr : text();
  }
  void string_array(const char* const*& out, uint64_t n, uint32_t flags) {
    out = nullptr;
    if (n == 0 || absent(flags & protocol::kOptional)) return;
    const char** made = arena_.make<const char*>(n);
    for (uint64_t i = 0; i < n; ++i) made[i] = text();
    out = made;
  }
  template <class T, class RowLength>
  void rows(const T* const*& out, uint64_t n, RowLength row_length, uint32_t flags) {
    out = nullptr;
    if (n == 0 || absent(flags & protocol::kOptional)) return;
    const T** made = arena_.make<const T*>(n);
    for (uint64_t i = 0; i < n; ++i) array(made[i], row_length(i), 0);
    out = made;
  }
  template <class T, size_t N>
  void fixed(T (&values)[N]) {
    for (T& value : values) element(value, protocol::kNullElements);
  }
  template <size_t N>
  void fixed_blob(uint8_t (&values)[N]) {
    fill(values, N);
  }
  template <size_t N>
  void fixed_string(char (&values)[N]) {
    fill(reinterpret_cast<uint8_t*>(values), N - 1);
    values[N - 1] = '\0';
  }
  template <class T>
  void null(T*& out) {
    out = nullptr;
  }

  // Outputs get values as well, which a request leaves out and a reply carries.
  class Outputs {
   public:
    explicit Outputs(Randomizer& whole) : whole_(whole) { whole_.output_ = true; }
    ~Outputs() { whole_.output_ = false; }
    template <class T>
    void pointer(T*& out, uint32_t flags) {
      whole_.pointer(out, flags);
    }
    template <class T>
    void array(T*& out, uint64_t n, uint32_t flags) {
      whole_.array(out, n, flags);
    }
    template <class T>
    void blob(T*& out, uint64_t n, uint32_t flags) {
      whole_.blob(out, n, flags);
    }

   private:
    Randomizer& whole_;
  };
  Outputs shape() { return Outputs(*this); }

 private:
  // As often small, which gets further, as anything.
  uint64_t number() {
    const uint64_t any = random_();
    return random_() % 2 ? any : any % 4;
  }
  uint64_t below(uint64_t limit) { return random_() % limit; }
  bool absent(bool may_be) { return may_be && below(4) == 0; }
  void fill(uint8_t* bytes, uint64_t n) {
    for (uint64_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(random_());
  }
  const char* text() {
    const uint64_t n = below(20);
    char* made = arena_.make<char>(n + 1);
    for (uint64_t i = 0; i < n; ++i) made[i] = static_cast<char>('a' + below(26));
    made[n] = '\0';
    return made;
  }
  template <class T>
  void element(T& value, uint32_t flags) {
    if constexpr (std::is_pointer_v<T>) {
      handle(value, flags);
    } else if constexpr (std::is_class_v<T> || std::is_union_v<T>) {
      structure(value);
    } else {
      scalar(value);
    }
  }
  // Up to three different structures; fewer, the deeper.
  VkBaseOutStructure* chain(uint32_t parent);

  wire::Arena& arena_;
  std::mt19937_64 random_;
  Ids* ids_;
  bool chains_ = true;
  bool output_ = false;
  uint32_t depth_ = 0;
};

extern template struct ChainBodies<Randomizer>;

}  // namespace pvgpu::venus
