#include <sys/syscall.h>
#include <unistd.h>

#include "platform/process_parts.h"

namespace pvgpu::platform {

EndWatch watch_end(pid_t child) {
  // Not by glibc's wrapper: its header lacks extern "C" in several versions.
  return {UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0))), {}};
}

}  // namespace pvgpu::platform
