#include <sys/event.h>
#include <sys/types.h>

#include <cerrno>

#include "platform/process_parts.h"

namespace pvgpu::platform {

EndWatch watch_end(pid_t child) {
  // A kqueue is readable itself while it has something to report.
  UniqueFd fd(::kqueue());
  struct kevent change;
  EV_SET(&change, static_cast<uintptr_t>(child), EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, nullptr);
  if (fd.valid() && ::kevent(fd.get(), &change, 1, nullptr, 0, nullptr) == 0) return {std::move(fd), {}};
  if (errno != ESRCH) return {};
  // It has ended already: a user event that has been triggered stands for that.
  EV_SET(&change, 0, EVFILT_USER, EV_ADD, 0, 0, nullptr);
  if (::kevent(fd.get(), &change, 1, nullptr, 0, nullptr) != 0) return {};
  EV_SET(&change, 0, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr);
  if (::kevent(fd.get(), &change, 1, nullptr, 0, nullptr) != 0) return {};
  return {std::move(fd), {}};
}

}  // namespace pvgpu::platform
