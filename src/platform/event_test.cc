#include "platform/event.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace pvgpu::platform {
namespace {

TEST(Event, StaysReadableOnceSet) {
  auto event = Event::create();
  ASSERT_TRUE(event.has_value());
  EXPECT_FALSE(event->is_set());
  event->set();
  event->set();
  EXPECT_TRUE(event->is_set());
  EXPECT_TRUE(event->is_set());
}

TEST(Event, WakesAPollOnADuplicateInAnotherThread) {
  auto event = Event::create();
  ASSERT_TRUE(event.has_value());
  UniqueFd guest_fd = event->fd().duplicate();
  std::thread setter([&] { event->set(); });
  pollfd entry{guest_fd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 60000), 1);
  EXPECT_EQ(entry.revents, POLLIN);
  setter.join();
}

}  // namespace
}  // namespace pvgpu::platform
