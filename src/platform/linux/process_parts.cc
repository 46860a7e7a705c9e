#include "platform/process_parts.h"

#include <string.h>
#include <unistd.h>

#include "platform/process.h"

namespace pvgpu::platform {

void close_from(SpawnPlan& plan, int first) { ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, first); }

std::string own_program() { return "/proc/self/exe"; }
const char* const kOwnProgramHint = "is /proc mounted?";

char** own_environment() { return environ; }

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? std::string("SIG") + name : "";
}

}  // namespace pvgpu::platform
