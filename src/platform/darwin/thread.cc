#include "platform/thread.h"

#include <pthread.h>
#include <pthread/qos.h>
#include <sys/sysctl.h>

namespace pvgpu::platform {

void set_thread_name(const char* name) { ::pthread_setname_np(name); }

bool set_thread_nice(int nice) {
  // There is no nice value of a thread; a class of service says the same.
  const qos_class_t wanted = nice > 0 ? QOS_CLASS_UTILITY : nice == 0 ? QOS_CLASS_DEFAULT : QOS_CLASS_USER_INTERACTIVE;
  return ::pthread_set_qos_class_self_np(wanted, 0) == 0;
}

void set_thread_punctual() {
  // Also keeps the thread off the slow cores, and its timers from being put off.
  ::pthread_set_qos_class_self_np(QOS_CLASS_USER_INTERACTIVE, 0);
}

unsigned usable_processors() {
  int count = 0;
  size_t size = sizeof count;
  if (::sysctlbyname("hw.activecpu", &count, &size, nullptr, 0) != 0 || count < 1) return 1;
  return static_cast<unsigned>(count);
}

}  // namespace pvgpu::platform
