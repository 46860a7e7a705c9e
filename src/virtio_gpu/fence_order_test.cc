#include "virtio_gpu/fence_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pvgpu::virtio_gpu {
namespace {

Header on(uint32_t ctx, int ring) {
  Header header{};
  header.ctx_id = ctx;
  header.flags = kFlagFence | (ring >= 0 ? kFlagRingIdx : 0);
  header.ring_idx = static_cast<uint8_t>(ring < 0 ? 0 : ring);
  return header;
}

TEST(FenceOrder, AnswersInOrderOnATimeline) {
  FenceOrder order;
  std::string answered;
  auto first = order.enter(on(1, 2)), second = order.enter(on(1, 2)), third = order.enter(on(1, 2));
  order.finish(second, [&] { answered += '2'; });
  EXPECT_EQ(answered, "");
  order.finish(first, [&] { answered += '1'; });
  EXPECT_EQ(answered, "12");
  order.finish(third, [&] { answered += '3'; });
  EXPECT_EQ(answered, "123");
}

TEST(FenceOrder, TimelinesAreIndependent) {
  FenceOrder order;
  std::string answered;
  order.enter(on(1, 2));
  auto other_ring = order.enter(on(1, 3)), other_context = order.enter(on(2, 2)), devices_own = order.enter(on(1, -1));
  order.finish(devices_own, [&] { answered += 'd'; });
  order.finish(other_context, [&] { answered += 'c'; });
  order.finish(other_ring, [&] { answered += 'r'; });
  EXPECT_EQ(answered, "dcr");
}

TEST(FenceOrder, WithoutRingIdxAllContextsShareTheDevicesTimeline) {
  FenceOrder order;
  std::string answered;
  auto first = order.enter(on(1, -1)), second = order.enter(on(2, -1));
  order.finish(second, [&] { answered += '2'; });
  EXPECT_EQ(answered, "");
  order.finish(first, [&] { answered += '1'; });
  EXPECT_EQ(answered, "12");
}

}  // namespace
}  // namespace pvgpu::virtio_gpu
