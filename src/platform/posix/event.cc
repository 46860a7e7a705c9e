// Of a pipe that nobody reads.
#include "platform/event.h"

#include <poll.h>
#include <unistd.h>

#include "platform/pipe.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

Result<Event> Event::create() {
  auto pipe = create_pipe(Pipe::kNonBlocking);
  if (!pipe) return std::unexpected(pipe.error());
  return Event(std::move(pipe->reader), std::move(pipe->writer));
}

void Event::set() const {
  // Fails only with EAGAIN, when the pipe is full and the event thus set already.
  const char byte = 0;
  [[maybe_unused]] auto written = retry([&] { return ::write(setter_.get(), &byte, 1); });
}

bool Event::is_set() const {
  pollfd entry{fd_.get(), POLLIN, 0};
  return retry([&] { return ::poll(&entry, 1, 0); }) > 0 && (entry.revents & POLLIN) != 0;
}

}  // namespace pvgpu::platform
