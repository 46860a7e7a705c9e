#include "platform/read_notice.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>

#include "platform/unix_socket.h"

namespace pvgpu::platform {
namespace {

bool is_readable(int fd, int milliseconds = 0) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, milliseconds) == 1;
}

TEST(ReadNotice, TellsWhenTheOtherSideHasReadAll) {
  auto [ours, theirs] = socket_pair().value();
  ReadNotice notice(ours.get());
  ASSERT_TRUE(notice.valid());
  EXPECT_TRUE(notice.all_read());

  // Again and again: a system that tells changes alone must not miss the second.
  for (int round = 0; round < 3; round++) {
    std::array<std::byte, 1> first{};
    std::array<std::byte, 19> rest{};
    ASSERT_TRUE(send_all(ours.get(), first));
    EXPECT_FALSE(notice.all_read());
    EXPECT_FALSE(notice.all_read()) << "asking changes nothing";
    EXPECT_FALSE(is_readable(notice.fd()));

    ASSERT_TRUE(receive_exactly(theirs.get(), first));
    EXPECT_TRUE(is_readable(notice.fd(), 10'000));
    EXPECT_TRUE(notice.all_read());

    ASSERT_TRUE(send_all(ours.get(), first));
    ASSERT_TRUE(send_all(ours.get(), rest));
    ASSERT_TRUE(receive_exactly(theirs.get(), first));
    EXPECT_FALSE(notice.all_read()) << "one of two messages is unread";
    ASSERT_TRUE(receive_exactly(theirs.get(), rest));
    EXPECT_TRUE(notice.all_read());
  }
}

TEST(ReadNotice, TellsOfADescriptorThatWentAlong) {
  auto [ours, theirs] = socket_pair().value();
  ReadNotice notice(ours.get());
  ASSERT_TRUE(notice.valid());
  ASSERT_TRUE(send_descriptor(ours.get(), ours.get()));
  EXPECT_FALSE(notice.all_read());
  EXPECT_TRUE(receive_descriptor(theirs.get()).valid());
  EXPECT_TRUE(notice.all_read());
}

}  // namespace
}  // namespace pvgpu::platform
