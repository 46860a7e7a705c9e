// A socket that carries vhost-user messages, with descriptors. Owns the socket; one thread.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "frontends/vhost_user/messages.h"
#include "platform/fd.h"

namespace pvgpu::frontends::vhost_user {

class Channel {
 public:
  static constexpr size_t kMaxPayload = 4096;

  explicit Channel(platform::UniqueFd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  // The next message, waited for. nullopt: the other side has closed. An error: what came is no message.
  std::expected<std::optional<Message>, std::string> receive();
  // False: the other side is gone. `descriptor` (-1: none) stays the caller's.
  bool send(const MessageHeader& header, std::span<const std::byte> payload, int descriptor = -1);
  // Bytes of a message; its first ones bring the descriptor.
  bool send_part(std::span<const std::byte> bytes, int descriptor = -1);

 private:
  platform::UniqueFd socket_;
};

}  // namespace pvgpu::frontends::vhost_user
