// Walking and editing pNext chains. The chains that reach this folder are copies in an arena that
// the decoder owns, so editing them in place is allowed although Vulkan declares most of them
// const. Stateless; a chain is edited by one thread at a time.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstddef>
#include <initializer_list>

namespace pvgpu::host {

// The structure of type `type` in the chain that starts at `next` (a pNext value), or nullptr.
template <class T>
T* find_struct(const void* next, VkStructureType type) {
  for (auto* s = static_cast<const VkBaseInStructure*>(next); s; s = s->pNext) {
    if (s->sType == type) return reinterpret_cast<T*>(const_cast<VkBaseInStructure*>(s));
  }
  return nullptr;
}

// Takes the structure of type `type` out of the chain of `parent`, which is the structure that the
// chain hangs from. Returns it with its own pNext untouched, or nullptr.
template <class T>
T* unlink_struct(void* parent, VkStructureType type) {
  for (auto* s = static_cast<VkBaseOutStructure*>(parent); s->pNext; s = s->pNext) {
    if (s->pNext->sType != type) continue;
    VkBaseOutStructure* found = s->pNext;
    s->pNext = found->pNext;
    return reinterpret_cast<T*>(found);
  }
  return nullptr;
}

// Makes `structure` the first of the chain of `parent`. `structure` must outlive the chain's use.
inline void prepend_struct(void* parent, void* structure) {
  auto* head = static_cast<VkBaseOutStructure*>(parent);
  auto* added = static_cast<VkBaseOutStructure*>(structure);
  added->pNext = head->pNext;
  head->pNext = added;
}

// Takes structures that the driver must not see out of an output chain while the driver fills it,
// and puts each back where it was: the guest reads the reply in the order in which it asked.
class DetachedStructs {
 public:
  static constexpr size_t kMost = 8;

  // At most kMost structures are taken out; a chain holds each type at most once.
  DetachedStructs(void* parent, std::initializer_list<VkStructureType> types);
  ~DetachedStructs() { restore(); }
  DetachedStructs(const DetachedStructs&) = delete;
  DetachedStructs& operator=(const DetachedStructs&) = delete;

  // The structure of this type that was taken out, or nullptr.
  template <class T>
  T* find(VkStructureType type) const {
    for (size_t i = 0; i < count_; ++i) {
      if (taken_[i].structure->sType == type) return reinterpret_cast<T*>(taken_[i].structure);
    }
    return nullptr;
  }
  // Puts everything back; the destructor then does nothing.
  void restore();

 private:
  struct Taken {
    VkBaseOutStructure* predecessor;
    VkBaseOutStructure* structure;
  };
  std::array<Taken, kMost> taken_{};
  size_t count_ = 0;
};

}  // namespace pvgpu::host
