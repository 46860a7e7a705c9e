#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "platform/process.h"
#include "platform/shared_memory.h"

namespace pvgpu::platform {

bool end_with_parent(int signal, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, signal);
  // The parent may have ended before the call, and then no signal comes.
  return ::getppid() == parent;
}

std::string process_name(pid_t pid) {
  std::string name;
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::getline(file, name);
  return name;
}

std::vector<pid_t> running_children() {
  std::vector<pid_t> found;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator("/proc", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    std::ifstream file(it->path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    // After the name, which may hold anything: state and parent.
    char state = 0;
    int parent = 0;
    const char* after_name = line.c_str() + line.rfind(')') + 1;
    if (std::sscanf(after_name, " %c %d", &state, &parent) == 2 && parent == ::getpid() && state != 'Z') {
      found.push_back(std::atoi(it->path().filename().c_str()));
    }
  }
  return found;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Usage current_usage() {
  Usage usage;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    usage.descriptors++;
  }
  if (usage.descriptors > 0) usage.descriptors--;  // the one that lists the folder
  for (auto it = std::filesystem::directory_iterator("/proc/self/task", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    usage.threads++;
  }
  size_t total_pages = 0, resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> total_pages >> resident_pages) {
    usage.resident_bytes = resident_pages * page_size();
  }
  return usage;
}

}  // namespace pvgpu::platform
