#include "platform/event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "platform/system_call.h"

namespace pvgpu::platform {

Result<Event> Event::create() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return system_error("cannot create an eventfd", errno);
  return Event(std::move(fd));
}

void Event::set() const {
  uint64_t one = 1;
  // Fails only with EAGAIN, when the counter is full and the event thus set already.
  [[maybe_unused]] auto written = retry([&] { return ::write(fd_.get(), &one, sizeof one); });
}

bool Event::is_set() const {
  pollfd entry{fd_.get(), POLLIN, 0};
  return retry([&] { return ::poll(&entry, 1, 0); }) > 0 && (entry.revents & POLLIN) != 0;
}

}  // namespace pvgpu::platform
