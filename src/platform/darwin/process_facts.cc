#include <libproc.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <thread>
#include <vector>

#include "platform/process.h"
#include "platform/signals.h"
#include "platform/system_call.h"

namespace pvgpu::platform {

bool end_with_parent(int signal, pid_t parent) {
  UniqueFd fd(::kqueue());
  struct kevent change;
  EV_SET(&change, static_cast<uintptr_t>(parent), EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, nullptr);
  if (!fd.valid() || ::kevent(fd.get(), &change, 1, nullptr, 0, nullptr) != 0) return false;
  // The parent may have ended before, and its number be another process's.
  if (::getppid() != parent) return false;
  BlockedSignals inherited;
  std::thread([fd = std::move(fd), signal] {
    struct kevent event;
    retry([&] { return ::kevent(fd.get(), nullptr, 0, &event, 1, nullptr); });
    ::kill(::getpid(), signal);
  }).detach();
  return true;
}

std::string process_name(pid_t pid) {
  char name[2 * MAXCOMLEN + 1] = {};
  return ::proc_name(pid, name, sizeof name) > 0 ? name : "";
}

std::vector<pid_t> running_children() {
  std::vector<pid_t> found(static_cast<size_t>(std::max(::proc_listchildpids(::getpid(), nullptr, 0), 0)));
  const int count = ::proc_listchildpids(::getpid(), found.data(), static_cast<int>(found.size() * sizeof(pid_t)));
  found.resize(static_cast<size_t>(std::clamp(count, 0, static_cast<int>(found.size()))));
  std::erase_if(found, [](pid_t pid) {
    proc_bsdinfo info{};
    return ::proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &info, sizeof info) != sizeof info || info.pbi_status == SZOMB;
  });
  return found;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // The hard limit is usually said to be none, which the kernel then does not take.
  int per_process = OPEN_MAX;
  size_t size = sizeof per_process;
  ::sysctlbyname("kern.maxfilesperproc", &per_process, &size, nullptr, 0);
  for (const rlim_t wanted : {limit.rlim_max, static_cast<rlim_t>(per_process), static_cast<rlim_t>(OPEN_MAX)}) {
    rlimit raised{std::min(wanted, limit.rlim_max), limit.rlim_max};
    if (raised.rlim_cur <= limit.rlim_cur || ::setrlimit(RLIMIT_NOFILE, &raised) == 0) return;
  }
}

Usage current_usage() {
  Usage usage;
  proc_taskinfo task{};
  if (::proc_pidinfo(::getpid(), PROC_PIDTASKINFO, 0, &task, sizeof task) == sizeof task) {
    usage.threads = static_cast<size_t>(task.pti_threadnum);
    usage.resident_bytes = task.pti_resident_size;
  }
  const int room = ::proc_pidinfo(::getpid(), PROC_PIDLISTFDS, 0, nullptr, 0);  // more than there are
  if (room <= 0) return usage;
  std::vector<proc_fdinfo> descriptors(static_cast<size_t>(room) / sizeof(proc_fdinfo));
  const int bytes = ::proc_pidinfo(::getpid(), PROC_PIDLISTFDS, 0, descriptors.data(), room);
  usage.descriptors = static_cast<size_t>(std::max(bytes, 0)) / sizeof(proc_fdinfo);
  return usage;
}

}  // namespace pvgpu::platform
