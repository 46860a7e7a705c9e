#include "host/pnext.h"

#include <gmock/gmock.h>

#include <vector>

namespace pvgpu::host {
namespace {

using ::testing::ElementsAre;

struct Chain {
  VkBaseOutStructure parent{VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, nullptr};
  VkBaseOutStructure a{VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_3, nullptr};
  VkBaseOutStructure b{VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT, nullptr};
  VkBaseOutStructure c{VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_2_EXT, nullptr};
  VkBaseOutStructure d{VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES, nullptr};
  Chain() {
    parent.pNext = &a;
    a.pNext = &b;
    b.pNext = &c;
    c.pNext = &d;
  }
  std::vector<VkStructureType> types() const {
    std::vector<VkStructureType> types;
    for (const VkBaseOutStructure* s = parent.pNext; s; s = s->pNext) types.push_back(s->sType);
    return types;
  }
};

TEST(PNext, FindsByType) {
  Chain chain;
  EXPECT_EQ(find_struct<VkBaseOutStructure>(chain.parent.pNext, chain.c.sType), &chain.c);
  EXPECT_EQ(find_struct<VkBaseOutStructure>(chain.parent.pNext, VK_STRUCTURE_TYPE_SUBMIT_INFO),
            nullptr);
  EXPECT_EQ(find_struct<VkBaseOutStructure>(nullptr, chain.c.sType), nullptr);
}

TEST(PNext, UnlinksFirstMiddleAndLast) {
  Chain chain;
  EXPECT_EQ(unlink_struct<VkBaseOutStructure>(&chain.parent, chain.a.sType), &chain.a);
  EXPECT_EQ(unlink_struct<VkBaseOutStructure>(&chain.parent, chain.c.sType), &chain.c);
  EXPECT_EQ(unlink_struct<VkBaseOutStructure>(&chain.parent, chain.d.sType), &chain.d);
  EXPECT_EQ(unlink_struct<VkBaseOutStructure>(&chain.parent, chain.d.sType), nullptr);
  EXPECT_THAT(chain.types(), ElementsAre(chain.b.sType));
}

TEST(PNext, PutsDetachedNeighboursBackInOrder) {
  Chain chain;
  const auto before = chain.types();
  {
    DetachedStructs detached(&chain.parent, {chain.c.sType, chain.b.sType, chain.d.sType});
    EXPECT_THAT(chain.types(), ElementsAre(chain.a.sType));
    EXPECT_EQ(detached.find<VkBaseOutStructure>(chain.c.sType), &chain.c);
    EXPECT_EQ(detached.find<VkBaseOutStructure>(chain.a.sType), nullptr);
  }
  EXPECT_EQ(chain.types(), before);
}

TEST(PNext, PutsAWholeChainBack) {
  Chain chain;
  const auto before = chain.types();
  DetachedStructs detached(&chain.parent,
                           {chain.a.sType, chain.b.sType, chain.c.sType, chain.d.sType});
  EXPECT_EQ(chain.parent.pNext, nullptr);
  detached.restore();
  EXPECT_EQ(chain.types(), before);
}

}  // namespace
}  // namespace pvgpu::host
