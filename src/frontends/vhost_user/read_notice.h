// Tells when the other side of a UNIX socket has read all that was sent to it. One thread.
#pragma once

#include "platform/fd.h"

namespace pvgpu::frontends::vhost_user {

class ReadNotice {
 public:
  // `socket` outlives it. Invalid if the system has no more descriptors.
  explicit ReadNotice(int socket);

  bool valid() const { return events_.valid(); }
  // Readable whenever the other side has read something, until all_read() is called.
  int fd() const { return events_.get(); }
  bool all_read();

 private:
  int socket_;
  platform::UniqueFd events_;
};

}  // namespace pvgpu::frontends::vhost_user
