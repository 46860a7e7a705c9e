#include "display/vnc_sink.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "display/screen.h"
#include "display/vnc_library.h"
#include "platform/signals.h"
#include "platform/thread.h"

namespace pvgpu::display {
namespace {

using std::chrono::microseconds;

// How often what the guest draws is looked at: while somebody watches, and while nobody does.
constexpr microseconds kWatched = std::chrono::milliseconds(15), kAlone = std::chrono::milliseconds(200);
// After which a viewer that takes nothing is sent away.
constexpr int kLongestWrite = 5000;  // ms
constexpr int kBitsPerSample = 8, kSamplesPerPixel = 3, kBytesPerPixel = 4;

std::optional<in_addr_t> address_of(const std::string& host) {
  in_addr address{};
  if (::inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &address) != 1) return std::nullopt;
  return address.s_addr;
}

// A server with its picture. One thread.
class Server {
 public:
  // nullopt: the port is taken.
  static std::optional<Server> start(const VncLibrary& library, in_addr_t host, uint16_t port, virtio_gpu::DisplaySize size) {
    Server server(library, size);
    if (!server.screen_) return std::nullopt;
    rfbScreenInfo& screen = *server.screen_;
    screen.desktopName = "PearVisor";
    screen.frameBuffer = reinterpret_cast<char*>(server.picture_.rgbx.data());
    screen.listenInterface = host;
    screen.port = port;
    screen.autoPort = 0;
    screen.ipv6port = 0;
    screen.alwaysShared = 1;
    screen.permitFileTransfer = 0;
    screen.maxClientWait = kLongestWrite;
    screen.cursor = nullptr;  // the guest's is in the picture
    library.init_server(&screen);
    if (screen.listenSock == RFB_INVALID_SOCKET) return std::nullopt;
    return server;
  }
  Server(Server&& other) noexcept
      : library_(other.library_), screen_(std::exchange(other.screen_, nullptr)), picture_(std::move(other.picture_)) {}
  Server& operator=(Server&&) = delete;
  ~Server() {
    if (!screen_) return;
    library_.shutdown_server(screen_, 1);
    screen_->frameBuffer = nullptr;
    library_.screen_cleanup(screen_);
  }

  // Answers viewers until there is nothing to answer for a while.
  void serve() { library_.process_events(screen_, (screen_->clientHead ? kWatched : kAlone).count()); }
  void update(Screen& source) {
    const uint32_t width = picture_.width, height = picture_.height;
    const auto change = source.take(picture_);
    if (!change) return;
    if (picture_.width != width || picture_.height != height) {
      library_.new_framebuffer(screen_, reinterpret_cast<char*>(picture_.rgbx.data()), static_cast<int>(picture_.width),
                               static_cast<int>(picture_.height), kBitsPerSample, kSamplesPerPixel, kBytesPerPixel);
      return;
    }
    const virtio_gpu::Rect& rect = change->rect;
    library_.mark_rect_as_modified(screen_, static_cast<int>(rect.x), static_cast<int>(rect.y), static_cast<int>(rect.x + rect.width),
                                   static_cast<int>(rect.y + rect.height));
  }

 private:
  Server(const VncLibrary& library, virtio_gpu::DisplaySize size) : library_(library), picture_(size.width, size.height) {
    screen_ = library.get_screen(nullptr, nullptr, static_cast<int>(size.width), static_cast<int>(size.height), kBitsPerSample,
                                 kSamplesPerPixel, kBytesPerPixel);
  }

  const VncLibrary& library_;
  rfbScreenInfo* screen_;
  Picture picture_;  // what viewers are sent
};

class VncSink : public virtio_gpu::DisplaySink {
 public:
  explicit VncSink(Server server) : server_(std::move(server)) {
    const platform::BlockedSignals blocked;  // the thread inherits them
    thread_ = std::thread([this] { work(); });
  }
  ~VncSink() override {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
  }

  void show(uint32_t, const virtio_gpu::Pixels& pixels, const virtio_gpu::Rect& damage) override { screen_.show(pixels, damage); }
  void blank(uint32_t) override { screen_.blank(); }
  void set_cursor(uint32_t, const virtio_gpu::Cursor* cursor) override { screen_.set_cursor(cursor); }
  void move_cursor(uint32_t, int32_t x, int32_t y) override { screen_.move_cursor(x, y); }

 private:
  void work() {
    platform::set_thread_name("pvgpu-vnc");
    while (!stop_.load(std::memory_order_relaxed)) {
      server_.serve();
      server_.update(screen_);
    }
  }

  Screen screen_;
  Server server_;
  std::atomic<bool> stop_ = false;  // relaxed: nothing else is handed over
  std::thread thread_;
};

}  // namespace

Result<void> check_vnc(const std::string& host) {
  if (!address_of(host)) return fail("\"" + host + "\" is no address for VNC", "use localhost or an IPv4 address, such as 127.0.0.1");
  if (auto library = VncLibrary::open(); !library) return std::unexpected(library.error());
  return {};
}

Result<VncDisplay> open_vnc_sink(const std::string& host, uint16_t port, virtio_gpu::DisplaySize size) {
  if (auto possible = check_vnc(host); !possible) return std::unexpected(possible.error());
  const VncLibrary& library = **VncLibrary::open();
  for (int candidate = port; candidate < port + kVncPorts && candidate <= UINT16_MAX; candidate++) {
    auto server = Server::start(library, *address_of(host), static_cast<uint16_t>(candidate), size);
    if (server) return VncDisplay{std::make_unique<VncSink>(std::move(*server)), static_cast<uint16_t>(candidate)};
  }
  return fail(fmt::format("no port for VNC is free at {} from {} on", host, port), "use --display vnc:HOST:PORT with another port");
}

}  // namespace pvgpu::display
