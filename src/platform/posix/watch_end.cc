#include <sys/wait.h>

#include <utility>

#include "platform/pipe.h"
#include "platform/process_parts.h"
#include "platform/signals.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

EndWatch watch_end(pid_t child) {
  auto pipe = create_pipe();
  if (!pipe) return {};
  BlockedSignals inherited;
  // WNOWAIT leaves the child to be reaped by its owner.
  std::thread thread([child, writer = std::move(pipe->writer)]() mutable {
    siginfo_t info{};
    retry([&] { return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT); });
    writer.reset();
  });
  return {std::move(pipe->reader), std::move(thread)};
}

}  // namespace pvgpu::platform
