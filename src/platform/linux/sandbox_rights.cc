#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "platform/linux/sandbox.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

Result<void> give_up_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("cannot give up new privileges", errno);
  return {};
}

Result<void> give_up_capabilities() {
  // Caches, recordings and libraries may be another user's; threads may be hurried; drivers may pin memory.
  constexpr uint64_t kKept = uint64_t{1} << CAP_DAC_OVERRIDE | uint64_t{1} << CAP_DAC_READ_SEARCH | uint64_t{1} << CAP_SYS_NICE |
                             uint64_t{1} << CAP_IPC_LOCK;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return system_error("cannot read capabilities", errno);
  for (unsigned half = 0; half < _LINUX_CAPABILITY_U32S_3; ++half) {
    const auto kept = static_cast<uint32_t>(kKept >> (32 * half));
    sets[half] = {.effective = sets[half].effective & kept, .permitted = sets[half].permitted & kept, .inheritable = 0};
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return system_error("cannot give up capabilities", errno);
  return {};
}

}  // namespace pvgpu::platform
