#include "platform/process_parts.h"

#include <crt_externs.h>
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "platform/own_path.h"
#include "platform/process.h"

namespace pvgpu::platform {

void close_from(SpawnPlan& plan, int) {
  // Of what is open, the child has only what file actions name.
  plan.flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) >= 0) ::posix_spawn_file_actions_addinherit_np(&plan.actions, fd);
}

std::string own_program() { return own_path(); }
const char* const kOwnProgramHint = "was the program moved or removed since it was started?";

char** own_environment() { return *::_NSGetEnviron(); }

std::string signal_name(int signal) {
  if (signal <= 0 || signal >= NSIG || !sys_signame[signal]) return "";
  std::string name = "SIG";
  for (const char* letter = sys_signame[signal]; *letter; letter++) name += static_cast<char>(::toupper(*letter));
  return name;
}

}  // namespace pvgpu::platform
