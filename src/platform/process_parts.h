// What process.h takes of each system. For the parts of this folder.
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <string>
#include <thread>

#include "platform/fd.h"

namespace pvgpu::platform {

// The spawn attributes and file actions, freed together.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  short flags = 0;  // of the attributes
};

// The child shall have no descriptor from `first` on.
void close_from(SpawnPlan& plan, int first);
// What runs this program again, and what a user can do when it does not.
std::string own_program();
extern const char* const kOwnProgramHint;
// "SIGSEGV"; empty: unknown.
std::string signal_name(int signal);

struct EndWatch {
  UniqueFd fd;  // readable once the child has ended; invalid, with errno set, after a failure
  std::thread thread;  // what makes it so, where that takes one; has ended by then or does at once
};
EndWatch watch_end(pid_t child);

}  // namespace pvgpu::platform
