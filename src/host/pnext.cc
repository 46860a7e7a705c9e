#include "host/pnext.h"

#include <algorithm>

namespace pvgpu::host {

DetachedStructs::DetachedStructs(void* parent, std::initializer_list<VkStructureType> types) {
  auto* s = static_cast<VkBaseOutStructure*>(parent);
  while (s->pNext && count_ < kMost) {
    if (std::find(types.begin(), types.end(), s->pNext->sType) == types.end()) {
      s = s->pNext;
      continue;
    }
    taken_[count_++] = {s, s->pNext};
    s->pNext = s->pNext->pNext;
  }
}

void DetachedStructs::restore() {
  // Last out, first in: neighbours that were both taken out share a predecessor.
  while (count_ > 0) {
    const Taken& taken = taken_[--count_];
    taken.structure->pNext = taken.predecessor->pNext;
    taken.predecessor->pNext = taken.structure;
  }
}

}  // namespace pvgpu::host
