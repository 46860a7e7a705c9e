// The part of a socket's message that carries one descriptor (SCM_RIGHTS): the buffer that a msghdr points to, which must live
// as long as the message is sent or received with it. For the parts of this folder and those that send messages of their own.
#pragma once

#include <sys/socket.h>

#include "platform/fd.h"

namespace pvgpu::platform {

class DescriptorMessage {
 public:
  // `message` will carry `descriptor`, which stays the caller's.
  void attach(msghdr& message, int descriptor);
  // `message` has room for one.
  void expect(msghdr& message);
  // What a received message brought; invalid: none.
  static UniqueFd take(msghdr& message);

 private:
  alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(int))];
};

}  // namespace pvgpu::platform
