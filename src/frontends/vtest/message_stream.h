// Whole messages out of a socket, with as few system calls as the guest's writes allow. Owns the
// buffer that messages lie in; borrows the socket. One thread.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "frontends/vtest/messages.h"
#include "venus/poison.h"

namespace pvgpu::frontends::vtest {

class MessageStream {
 public:
  struct Message {
    Header header;
    std::span<const std::byte> payload;  // 4-byte aligned; until the next call of next()
  };

  explicit MessageStream(int socket);

  // Waits for the next message. nullopt: the guest is gone. The error is a header that no guest may
  // send, or a connection that ends inside a message; nothing can be read after it.
  std::expected<std::optional<Message>, venus::Poison> next();

 private:
  // Makes [begin_, begin_ + bytes) available; false if the connection ends before.
  bool fill(size_t bytes);

  int socket_;
  std::vector<std::byte> buffer_;
  size_t begin_ = 0;  // of what is received and not consumed
  size_t end_ = 0;
};

}  // namespace pvgpu::frontends::vtest
