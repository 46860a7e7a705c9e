#include "platform/unix_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "platform/event.h"
#include "platform/temporary_folder.h"

namespace pvgpu::platform {
namespace {

class UnixSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryFolder::create();
    ASSERT_TRUE(folder.has_value()) << folder.error().what;
    folder_.emplace(std::move(*folder));
    path_ = folder_->path() + "/socket";
  }

  std::optional<TemporaryFolder> folder_;
  std::string path_;
};

TEST_F(UnixSocketTest, OnlyTheOwnerMayConnect) {
  auto socket = ListeningSocket::create(path_);
  ASSERT_TRUE(socket.has_value()) << socket.error().what;
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder_->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(UnixSocketTest, AcceptsConnectionsAndNeverBlocks) {
  auto socket = ListeningSocket::create(path_);
  ASSERT_TRUE(socket.has_value());
  EXPECT_FALSE(socket->accept().valid());
  EXPECT_EQ(errno, EAGAIN);
  auto client = connect_to(path_);
  ASSERT_TRUE(client.has_value()) << client.error().what;
  UniqueFd server = socket->accept();
  ASSERT_TRUE(server.valid());
  EXPECT_EQ(::fcntl(server.get(), F_GETFL) & O_NONBLOCK, 0);
  auto peer = peer_credentials(server.get());
  ASSERT_TRUE(peer.has_value());
  EXPECT_EQ(peer->pid, ::getpid());
  EXPECT_EQ(peer->uid, ::getuid());
}

TEST_F(UnixSocketTest, TheFileDisappearsWithTheServer) {
  {
    auto socket = ListeningSocket::create(path_);
    ASSERT_TRUE(socket.has_value());
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  auto client = connect_to(path_);
  ASSERT_FALSE(client.has_value());
  EXPECT_FALSE(client.error().hint.empty());
}

TEST_F(UnixSocketTest, ASocketThatNobodyListensOnIsReplaced) {
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  auto socket = ListeningSocket::create(path_);
  ASSERT_TRUE(socket.has_value()) << socket.error().what;
  EXPECT_TRUE(connect_to(path_).has_value());
}

TEST_F(UnixSocketTest, ASocketInUseIsAnErrorAndSurvives) {
  auto first = ListeningSocket::create(path_);
  ASSERT_TRUE(first.has_value());
  auto second = ListeningSocket::create(path_);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().what.find("another server"), std::string::npos) << second.error().what;
  EXPECT_FALSE(second.error().hint.empty());
  EXPECT_TRUE(connect_to(path_).has_value());
}

TEST_F(UnixSocketTest, AnotherKindOfFileIsAnErrorAndSurvives) {
  std::ofstream(path_) << "precious";
  auto socket = ListeningSocket::create(path_);
  ASSERT_FALSE(socket.has_value());
  EXPECT_NE(socket.error().what.find("no socket"), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(UnixSocketTest, AReplacedFileIsNotRemoved) {
  auto first = ListeningSocket::create(path_);
  ASSERT_TRUE(first.has_value());
  std::filesystem::remove(path_);
  auto second = ListeningSocket::create(path_);
  ASSERT_TRUE(second.has_value());
  {
    ListeningSocket ends = std::move(*first);
  }
  EXPECT_TRUE(connect_to(path_).has_value());
}

TEST_F(UnixSocketTest, UnusablePathsAreClearErrors) {
  EXPECT_FALSE(ListeningSocket::create("").has_value());
  auto too_long = ListeningSocket::create(folder_->path() + "/" + std::string(200, 'x'));
  ASSERT_FALSE(too_long.has_value());
  EXPECT_NE(too_long.error().hint.find("bytes"), std::string::npos);
  auto no_folder = ListeningSocket::create(folder_->path() + "/none/socket");
  ASSERT_FALSE(no_folder.has_value());
  EXPECT_NE(no_folder.error().what.find("no such file"), std::string::npos);
  EXPECT_EQ(no_folder.error().hint, "create the folder first");
}

TEST_F(UnixSocketTest, ManyServersRacingForAStalePathLeaveOne) {
  {
    std::ofstream lock(path_ + ".unused");
  }
  std::atomic<int> winners{0};
  std::vector<std::optional<ListeningSocket>> sockets(8);
  std::vector<std::thread> threads;
  for (auto& slot : sockets) {
    threads.emplace_back([&] {
      auto socket = ListeningSocket::create(path_);
      if (!socket) return;
      winners++;
      slot.emplace(std::move(*socket));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
  EXPECT_TRUE(connect_to(path_).has_value());
}

TEST(SocketBytes, DescriptorsTravelOnAByteOfTheirOwn) {
  auto pair = socket_pair();
  ASSERT_TRUE(pair.has_value());
  auto event = Event::create();
  const std::byte words[] = {std::byte{1}, std::byte{2}, std::byte{3}};
  ASSERT_TRUE(send_all(pair->first.get(), words));
  ASSERT_TRUE(send_descriptor(pair->first.get(), event->fd().get()));
  ASSERT_TRUE(send_all(pair->first.get(), words));
  // As the guest does: read exactly the message, then exactly one byte.
  std::byte received[3];
  ASSERT_TRUE(receive_exactly(pair->second.get(), received));
  EXPECT_EQ(received[2], std::byte{3});
  UniqueFd copy = receive_descriptor(pair->second.get());
  ASSERT_TRUE(copy.valid());
  event->set();
  pollfd entry{copy.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 0), 1);
  ASSERT_TRUE(receive_exactly(pair->second.get(), received));
  EXPECT_EQ(received[0], std::byte{1});
}

TEST(SocketBytes, APeerThatIsGoneIsAnErrorNotASignal) {
  auto pair = socket_pair();
  ASSERT_TRUE(pair.has_value());
  pair->second.reset();
  const std::byte bytes[16] = {};
  EXPECT_FALSE(send_all(pair->first.get(), bytes));
  EXPECT_FALSE(send_descriptor(pair->first.get(), 0));
  send_if_possible(pair->first.get(), bytes);
  std::byte buffer[4];
  EXPECT_EQ(receive_some(pair->first.get(), buffer), 0);
  EXPECT_FALSE(receive_exactly(pair->first.get(), buffer));
  EXPECT_FALSE(receive_descriptor(pair->first.get()).valid());
}

TEST(SocketBytes, LargeTransfersArriveWhole) {
  auto pair = socket_pair();
  ASSERT_TRUE(pair.has_value());
  std::vector<std::byte> sent(4 << 20), received(sent.size());
  for (size_t i = 0; i < sent.size(); i++) sent[i] = static_cast<std::byte>(i * 7);
  std::thread sender([&] { EXPECT_TRUE(send_all(pair->first.get(), sent)); });
  EXPECT_TRUE(receive_exactly(pair->second.get(), received));
  sender.join();
  EXPECT_EQ(sent, received);
}

}  // namespace
}  // namespace pvgpu::platform
