// The part of a socket's message that carries one descriptor (SCM_RIGHTS): the buffer that a msghdr points to, which must live
// as long as the message is sent or received with it. For the parts of this folder and those that send messages of their own.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstring>

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

// Calls `take(descriptor)` for each descriptor of a received message that may have brought any number.
template <class Take>
void for_each_descriptor(msghdr& message, Take take) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      take(descriptor);
    }
  }
}

}  // namespace pvgpu::platform
