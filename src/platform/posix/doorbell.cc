// Of a pipe. What is rung and answered may also be another process's eventfd.
#include "platform/doorbell.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "platform/pipe.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

Result<Doorbell> Doorbell::create() {
  auto pipe = create_pipe(Pipe::kNonBlocking);
  if (!pipe) return std::unexpected(pipe.error());
  return Doorbell(std::move(pipe->reader), std::move(pipe->writer));
}

void ring_doorbell(int button) {
  uint64_t one = 1;
  // Fails with EAGAIN when the pipe is full: it rings already.
  [[maybe_unused]] auto written = retry([&] { return ::write(button, &one, sizeof one); });
}

bool answer_doorbell(int fd) {
  // What many rings wrote. Whatever is left keeps it readable.
  std::byte rings[4096];
  const auto count = retry([&] { return ::read(fd, rings, sizeof rings); });
  return count > 0 || (count < 0 && errno == EAGAIN);
}

}  // namespace pvgpu::platform
