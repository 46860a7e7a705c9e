// The back-end's channel to the front-end, on which we ask for mappings in the window. The front-end answers in
// order, and may ask us something on its own channel before it does: so requests are sent, and their answers are read
// when they come. Nothing here waits. Few are on their way at a time, so that sending never blocks either.
//
// A request must not reach QEMU 11.1 after it has stopped the device, which it tells us while it does: it would crash. So
// a request is begun with a byte, which QEMU's main thread reads; then it waits for the rest and stops nothing, until we send
// that. If the device is stopped before the byte is read, the rest makes it a request that QEMU does not know.
// One thread (the loop's).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "frontends/vhost_user/channel.h"
#include "platform/event_loop.h"
#include "platform/file_identity.h"
#include "platform/read_notice.h"

namespace pvgpu::frontends::vhost_user {

class WindowChannel {
 public:
  using Done = std::function<void(bool)>;

  explicit WindowChannel(platform::EventLoop& loop) : loop_(loop) {}
  ~WindowChannel() { close(); }

  // A new channel; what waits on the old one has failed.
  // `shared_objects`: that the front-end knows requests about them.
  void open(platform::UniqueFd socket, bool replies, bool shared_objects);
  void close();

  void map(uint8_t region_id, uint64_t offset, uint64_t length, int fd, uint64_t fd_offset, Done done);
  void unmap(uint8_t region_id, uint64_t offset, uint64_t length, Done done);
  // What is asked for from now on waits for resume(). QEMU 11.1 crashes on requests for a device that is stopped.
  void pause();
  void resume();
  void tell_config_changed();
  // Whether `fd` is the file of something that is mapped, or on its way to be.
  bool is_mapped(int fd) const;

 private:
  static constexpr size_t kMaxUnanswered = 32;
  struct Request {
    BackendRequest kind;
    ShmemMap body{};
    platform::UniqueFd fd;
    Done done;
  };
  void enqueue(Request request);
  MessageHeader header_of(const Request& request) const;
  bool begin(const Request& request);
  void withdraw();
  void send_waiting();
  void receive();

  platform::EventLoop& loop_;
  std::optional<Channel> channel_;
  std::optional<platform::ReadNotice> notice_;
  bool begun_ = false;  // the first of those that wait
  bool replies_ = false, shared_objects_ = false, paused_ = false;
  std::deque<Request> waiting_;
  std::deque<Done> unanswered_;
  std::map<uint64_t, platform::FileIdentity> files_;  // by window offset
};

}  // namespace pvgpu::frontends::vhost_user
