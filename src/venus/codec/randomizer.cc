#include "venus/codec/randomizer.h"

#include <algorithm>
#include <unordered_map>

namespace pvgpu::venus {

template struct ChainBodies<Randomizer>;

namespace {

// Positions in kChainStructs, by parent.
std::unordered_map<uint32_t, std::vector<uint32_t>> children_by_parent() {
  std::unordered_map<uint32_t, std::vector<uint32_t>> children;
  for (uint32_t i = 0; i < protocol::kChainCount; ++i)
    for (uint16_t parent : protocol::kChainStructs[i].parents) children[parent].push_back(i);
  return children;
}

}  // namespace

VkBaseOutStructure* Randomizer::chain(uint32_t parent) {
  static const auto children = children_by_parent();
  const auto found = children.find(parent);
  if (!chains_ || found == children.end() || depth_ > 3 || below(2) == 0) return nullptr;
  const uint64_t length = 1 + below(depth_ > 1 ? 1 : 3);
  std::vector<uint32_t> chosen;
  for (uint64_t i = 0; i < length; ++i) {
    const uint32_t index = found->second[below(found->second.size())];
    if (std::ranges::find(chosen, index) == chosen.end()) chosen.push_back(index);
  }
  VkBaseOutStructure* first = nullptr;
  ++depth_;
  for (uint32_t index : chosen) {
    const protocol::ChainStruct& entry = protocol::kChainStructs[index];
    auto* body = static_cast<VkBaseOutStructure*>(arena_.allocate(entry.size));
    std::memset(static_cast<void*>(body), 0, entry.size);
    ChainBodies<Randomizer>::kTable[index](*this, body);
    body->sType = entry.type;
    body->pNext = first;
    first = body;
  }
  --depth_;
  return first;
}

}  // namespace pvgpu::venus
