// Waits for any of many descriptors. The set is small code over the system's own (epoll, kqueue), so
// waiting costs the same with one descriptor as with thousands; with poll(2), which POSIX has, it does not.
// Belongs to one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "platform/error.h"

namespace pvgpu::platform {

class Poller {
 public:
  enum class Interest {
    kReadable,  // reported as long as there is something to read, or the other side is gone
    kHangUp,    // reported once, when the other side is gone
  };

  static Result<Poller> create();
  Poller(Poller&&) noexcept;
  Poller& operator=(Poller&&) noexcept;
  ~Poller();

  // `token` is what wait() returns for it. `fd` stays the caller's, who removes it before closing.
  bool add(int fd, uint64_t token, Interest interest);
  void remove(int fd);
  // Tokens of what is ready; empty after `timeout` or an interruption. Valid until the next call.
  std::span<const uint64_t> wait(std::optional<std::chrono::milliseconds> timeout);

 private:
  struct Set;  // the system's
  explicit Poller(std::unique_ptr<Set> set);

  std::unique_ptr<Set> set_;
  std::array<uint64_t, 64> ready_{};
};

}  // namespace pvgpu::platform
