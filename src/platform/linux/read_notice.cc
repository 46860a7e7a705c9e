#include "platform/read_notice.h"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

namespace pvgpu::platform {

ReadNotice::ReadNotice(int socket) : socket_(socket), events_(::epoll_create1(EPOLL_CLOEXEC)) {
  // Linux wakes those who wait for room in a socket at every message that the other side takes out, full or not.
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLET;
  if (events_.valid() && ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, socket, &event) != 0) events_.reset();
}

bool ReadNotice::all_read() {
  epoll_event event;
  ::epoll_wait(events_.get(), &event, 1, 0);
  int unread = 0;
  // The buffer of a message that is being taken out counts as 1 while it wakes us; one that is not has hundreds of bytes.
  return ::ioctl(socket_, SIOCOUTQ, &unread) == 0 && unread <= 1;
}

}  // namespace pvgpu::platform
