#include "platform/descriptor_message.h"

#include <cstring>

namespace pvgpu::platform {

void DescriptorMessage::attach(msghdr& message, int descriptor) {
  std::memset(control_, 0, sizeof control_);
  expect(message);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
}

void DescriptorMessage::expect(msghdr& message) {
  message.msg_control = control_;
  message.msg_controllen = sizeof control_;
}

UniqueFd DescriptorMessage::take(msghdr& message) {
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int))) {
    return UniqueFd();
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return UniqueFd(descriptor);
}

}  // namespace pvgpu::platform
