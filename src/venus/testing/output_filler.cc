#include "venus/testing/output_filler.h"

namespace pvgpu::venus {

template struct ChainBodies<testing::OutputFiller>;

namespace testing {

void OutputFiller::chain(const void* next) {
  for (auto* link = static_cast<const VkBaseOutStructure*>(next); link; link = link->pNext) {
    const uint32_t index = protocol::find_chain_struct(link->sType);
    if (index != protocol::kNoChain)
      ChainBodies<OutputFiller>::kTable[index](*this, const_cast<VkBaseOutStructure*>(link));
  }
}

}  // namespace testing
}  // namespace pvgpu::venus
