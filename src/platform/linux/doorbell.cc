#include "platform/doorbell.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "platform/system_call.h"

namespace pvgpu::platform {

Result<Doorbell> Doorbell::create() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return system_error("cannot create an eventfd", errno);
  return Doorbell(std::move(fd));
}

void ring_doorbell(int button) {
  uint64_t one = 1;
  // Fails with EAGAIN when the counter is full: it rings already.
  [[maybe_unused]] auto written = retry([&] { return ::write(button, &one, sizeof one); });
}

bool answer_doorbell(int fd) {
  uint64_t count = 0;
  return retry([&] { return ::read(fd, &count, sizeof count); }) == sizeof count || errno == EAGAIN;
}

}  // namespace pvgpu::platform
