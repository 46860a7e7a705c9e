// The display as a viewer sees it: a small client of our own (RFC 6143).
#include "display/vnc_sink.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "platform/fd.h"

namespace pvgpu::display {
namespace {

using ::testing::HasSubstr;
using virtio_gpu::PixelFormat;
using virtio_gpu::Pixels;

constexpr uint16_t kPort = 15900;  // the first to try

// Ends a hang.
constexpr timeval kDeadline{60, 0};

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Viewer {
 public:
  explicit Viewer(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kDeadline, sizeof kDeadline);
    sockaddr_in address = loopback(port);
    connected_ = ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  // Up to where pictures can be asked for. Its title.
  std::string open() {
    EXPECT_EQ(text(12).substr(0, 4), "RFB ");
    send("RFB 003.008\n");
    const auto kinds = bytes(bytes(1)[0]);
    EXPECT_THAT(kinds, ::testing::Contains(1)) << "no password";
    send("\1");
    EXPECT_EQ(number(4), 0u) << "accepted";
    send("\1");  // shared
    width = number(2);
    height = number(2);
    bytes(16);  // the server's pixel format: red, green, blue and a byte more
    pixels.resize(size_t{4} * width * height);
    return text(number(4));
  }
  // Asks for what is new, or for everything, and takes it in.
  void update(bool everything) {
    const uint32_t w = width, h = height;
    send(std::string{'\3', everything ? '\0' : '\1', '\0', '\0', '\0', '\0', static_cast<char>(w >> 8), static_cast<char>(w),
                     static_cast<char>(h >> 8), static_cast<char>(h)});
    ASSERT_EQ(number(1), 0u) << "an update";
    bytes(1);
    const uint32_t rectangles = number(2);
    for (uint32_t i = 0; i < rectangles; i++) take_rectangle();
  }
  // 0xRRGGBB.
  uint32_t at(uint32_t x, uint32_t y) const {
    const uint8_t* const pixel = pixels.data() + 4 * (size_t{y} * width + x);
    return static_cast<uint32_t>(pixel[0] << 16 | pixel[1] << 8 | pixel[2]);
  }
  bool try_to_send(const std::string& text) {
    return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  void send(const std::string& text) { ASSERT_TRUE(try_to_send(text)); }

  uint32_t width = 0, height = 0;
  std::vector<uint8_t> pixels;

 private:
  void take_rectangle() {
    const uint32_t x = number(2), y = number(2), w = number(2), h = number(2), encoding = number(4);
    if (encoding == 0xffffff21) {  // DesktopSize
      width = w;
      height = h;
      pixels.assign(size_t{4} * w * h, 0);
      return;
    }
    ASSERT_EQ(encoding, 0u) << "raw";
    for (uint32_t line = 0; line < h; line++) {
      const auto row = bytes(size_t{4} * w);
      ASSERT_EQ(row.size(), size_t{4} * w);
      std::ranges::copy(row, pixels.begin() + 4 * (size_t{y + line} * width + x));
    }
  }
  std::vector<uint8_t> bytes(size_t count) {
    std::vector<uint8_t> out(count);
    EXPECT_EQ(::recv(socket_.get(), out.data(), count, MSG_WAITALL), static_cast<ssize_t>(count));
    return out;
  }
  std::string text(size_t count) {
    const auto raw = bytes(count);
    return {raw.begin(), raw.end()};
  }
  uint32_t number(size_t count) {
    uint32_t value = 0;
    for (const uint8_t byte : bytes(count)) value = value << 8 | byte;
    return value;
  }

  platform::UniqueFd socket_;
  bool connected_ = false;
};

std::vector<uint32_t> frame(uint32_t width, uint32_t height, uint32_t rgb) { return std::vector<uint32_t>(size_t{width} * height, rgb); }

Pixels pixels_of(const std::vector<uint32_t>& frame, uint32_t width, uint32_t height) {
  return {.first = reinterpret_cast<const std::byte*>(frame.data()), .width = width, .height = height, .stride = 4 * width,
          .format = PixelFormat::kB8G8R8X8};
}

TEST(VncSink, ShowsWhatTheGuestDraws) {
  auto sink = open_vnc_sink("localhost", kPort, {100, 80});
  ASSERT_TRUE(sink) << sink.error().what;
  Viewer viewer(sink->port);
  ASSERT_TRUE(viewer.connected());
  EXPECT_EQ(viewer.open(), "PearVisor");
  EXPECT_EQ(viewer.width, 100u);
  EXPECT_EQ(viewer.height, 80u);
  viewer.update(true);
  EXPECT_EQ(viewer.at(50, 40), 0u);
  auto picture = frame(100, 80, 0x102030);
  sink->sink->show(0, pixels_of(picture, 100, 80), {0, 0, 100, 80});
  while (viewer.at(99, 79) != 0x102030) viewer.update(false);
  picture[40 * 100 + 50] = 0xffeedd;
  sink->sink->show(0, pixels_of(picture, 100, 80), {50, 40, 1, 1});
  while (viewer.at(50, 40) != 0xffeedd) viewer.update(false);
  EXPECT_EQ(viewer.at(51, 40), 0x102030u);
}

TEST(VncSink, FollowsTheGuestsSize) {
  auto sink = open_vnc_sink("127.0.0.1", kPort, {100, 80});
  ASSERT_TRUE(sink) << sink.error().what;
  Viewer viewer(sink->port);
  viewer.open();
  // Raw, and DesktopSize.
  viewer.send(std::string("\2\0\0\2\0\0\0\0\xff\xff\xff\x21", 12));
  viewer.update(true);
  const auto picture = frame(64, 200, 0x445566);
  sink->sink->show(0, pixels_of(picture, 64, 200), {0, 0, 64, 200});
  while (viewer.height != 200 || viewer.at(63, 199) != 0x445566) viewer.update(false);
  EXPECT_EQ(viewer.width, 64u);
  sink->sink->blank(0);
  while (viewer.at(0, 0) != 0) viewer.update(false);
}

TEST(VncSink, TakesAPortAtWhichNobodyListens) {
  const platform::UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  uint16_t port = kPort;
  sockaddr_in address = loopback(port);
  while (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) address = loopback(++port);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  auto sink = open_vnc_sink("localhost", port, {64, 64});
  ASSERT_TRUE(sink);
  EXPECT_GT(sink->port, port);
  Viewer viewer(sink->port);
  ASSERT_TRUE(viewer.connected());
  viewer.open();
  EXPECT_EQ(viewer.width, 64u);
}

TEST(VncSink, AViewerThatReadsNothingHoldsNobodyUp) {
  auto sink = open_vnc_sink("localhost", kPort, {1024, 1024});
  ASSERT_TRUE(sink);
  Viewer silent(sink->port);
  silent.open();
  const auto picture = frame(1024, 1024, 0x123456);
  // Far more than the socket holds; the device's thread goes on all the same, also when the viewer is sent away.
  for (int i = 0; i < 10; i++) {
    silent.try_to_send(std::string("\3\0\0\0\0\0\4\0\4\0", 10));
    sink->sink->show(0, pixels_of(picture, 1024, 1024), {0, 0, 1024, 1024});
  }
}

TEST(VncSink, SaysWhatIsWrong) {
  const auto wrong = open_vnc_sink("::1", kPort, {100, 80});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().hint, HasSubstr("127.0.0.1"));
  const auto elsewhere = open_vnc_sink("192.0.2.1", 65535, {100, 80});
  ASSERT_FALSE(elsewhere) << "an address that no machine has";
  EXPECT_THAT(elsewhere.error().what, HasSubstr("65535"));
}

}  // namespace
}  // namespace pvgpu::display
