#include "platform/thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

namespace pvgpu::platform {

void set_thread_name(const char* name) {
  char cut[16];
  std::snprintf(cut, sizeof cut, "%s", name);
  ::pthread_setname_np(::pthread_self(), cut);
}

bool set_thread_nice(int nice) {
  // On Linux the nice value belongs to the thread, whatever POSIX says.
  auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  return ::setpriority(PRIO_PROCESS, thread, nice) == 0;
}

void set_thread_punctual() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

unsigned usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int count = CPU_COUNT(&set);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

}  // namespace pvgpu::platform
