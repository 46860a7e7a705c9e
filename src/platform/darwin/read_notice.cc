// The sender of a UNIX socket pays, out of the room that it may write to, for what the other side has not read yet. kqueue tells
// that room, and tells it anew whenever the other side reads.
#include "platform/read_notice.h"

#include <sys/event.h>
#include <sys/time.h>

#include <algorithm>

namespace pvgpu::platform {
namespace {

bool watch_room(int events, int socket) {
  struct kevent change;
  EV_SET(&change, socket, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0, nullptr);
  return ::kevent(events, &change, 1, nullptr, 0, nullptr) == 0;
}

// Bytes of room, or -1 if nothing has changed since it was asked last.
int64_t changed_room(int events) {
  struct kevent event;
  const timespec now{};
  if (::kevent(events, nullptr, 0, &event, 1, &now) != 1) return -1;
  return event.data;
}

}  // namespace

ReadNotice::ReadNotice(int socket) : socket_(socket), events_(::kqueue()) {
  if (events_.valid() && !watch_room(events_.get(), socket)) events_.reset();
  if (events_.valid()) free_room_ = changed_room(events_.get());
}

bool ReadNotice::all_read() {
  changed_room(events_.get());
  // Watched anew, it tells what there is now, and not only what changes.
  if (!watch_room(events_.get(), socket_)) return false;
  const int64_t room = changed_room(events_.get());
  free_room_ = std::max(free_room_, room);
  return room == free_room_;
}

}  // namespace pvgpu::platform
