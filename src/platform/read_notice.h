// Tells when the other side of a UNIX stream socket has read all that was sent to it. One thread.
#pragma once

#include <cstdint>

#include "platform/fd.h"

namespace pvgpu::platform {

class ReadNotice {
 public:
  // `socket` outlives it, and nothing that was sent on it is unread yet. Invalid if the system has no more descriptors.
  explicit ReadNotice(int socket);

  bool valid() const { return events_.valid(); }
  // Readable whenever the other side has read something, until all_read() is called.
  int fd() const { return events_.get(); }
  bool all_read();

 private:
  int socket_;
  UniqueFd events_;
  int64_t free_room_ = 0;  // bytes that the socket takes while nothing is unread, where the system tells by its room
};

}  // namespace pvgpu::platform
