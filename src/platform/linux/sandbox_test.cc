// What of the sandbox only Linux has.
#include "platform/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "platform/linux/refused_calls.h"
#include "platform/pipe.h"
#include "platform/process.h"
#include "platform/temporary_folder.h"
#include "platform/testing/restricted_child.h"
#include "platform/unix_socket.h"

namespace pvgpu::platform {
namespace {

using testing::Findings;
using testing::in_child;
using testing::kProcessesAreLeft;

long open_file(const std::string& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); }

std::string line_of_status(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":")) return line.substr(line.find_last_of(" \t") + 1);
  return "";
}

struct LinuxSandbox : ::testing::Test {
  void SetUp() override {
    for (const auto& possible : {file_restriction(), call_restriction()})
      if (!possible) GTEST_SKIP() << possible.error().what;
  }
};

TEST_F(LinuxSandbox, TheSystemTellsOfIt) {
  in_child([](Findings& findings) {
    findings.works("restrict", restrict_files({}) && restrict_calls());
    constexpr unsigned long long kOfFilesAndPriority = 1 << 1 | 1 << 2 | 1 << 14 | 1 << 23;
    findings.works("CapEff", (std::stoull(line_of_status("CapEff"), nullptr, 16) & ~kOfFilesAndPriority) == 0);
    findings.works("NoNewPrivs", line_of_status("NoNewPrivs") == "1");
    findings.works("Seccomp", line_of_status("Seccomp") == "2");
  });
}

TEST_F(LinuxSandbox, EveryListedCallIsRefused) {
  in_child([](Findings& findings) {
    if (!restrict_calls()) return findings.works("restrict", false);
    const auto refused = [&](unsigned call) {
      findings.refused(std::to_string(call).c_str(), ::syscall(call, -1L, -1L, -1L, -1L, -1L, -1L));
    };
    for (const unsigned call : kRefusedCalls) refused(call);
    if (kProcessesAreLeft) return;
    for (const unsigned call : kCallsForProcesses) refused(call);
  });
}

TEST_F(LinuxSandbox, CallsNewerThanTheListAreMissing) {
  in_child([](Findings& findings) {
    if (!restrict_calls()) return findings.works("restrict", false);
    findings.refused("the next call", ::syscall(463, -1L, -1L, -1L), ENOSYS);
    findings.refused("a call of x32", ::syscall(0x40000000 + SYS_getpid), ENOSYS);
    if (!kProcessesAreLeft) findings.refused("clone3", ::syscall(SYS_clone3, nullptr, 0), ENOSYS);
  });
}

TEST_F(LinuxSandbox, ArgumentsDecide) {
  if (kProcessesAreLeft) GTEST_SKIP() << "sanitizers start processes";
  auto pair = socket_pair();
  ASSERT_TRUE(pair.has_value());
  in_child([&](Findings& findings) {
    if (!restrict_calls()) return findings.works("restrict", false);
    const int fd = pair->first.get();
    const pid_t self = ::getpid(), other = ::getppid();
    char byte = 0;
    int waiting = 0;
    findings.refused("typing into a terminal", ::ioctl(fd, TIOCSTI, &byte));
    findings.works("other ioctl", ::ioctl(fd, FIONREAD, &waiting) == 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/nowhere"};
    findings.refused("send to an address", ::sendto(fd, &byte, 1, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), sizeof address));
    findings.works("send", ::send(fd, &byte, 1, MSG_NOSIGNAL) == 1);
    const int packets = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    findings.works("a socket of packets", packets >= 0);
    findings.refused("connect", ::connect(packets, reinterpret_cast<sockaddr*>(&address), sizeof address), ECONNREFUSED);
    iovec part{&byte, 1};
    const msghdr message{.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
    findings.refused("a packet to an address", ::sendmsg(packets, &message, MSG_NOSIGNAL), ENOTCONN);
    findings.refused("a descriptor's signals to another", ::fcntl(fd, F_SETOWN, other));
    findings.works("other fcntl", ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    findings.refused("clone of a process", ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    findings.refused("clone with shared memory", ::syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0));
    findings.refused("tgkill of another", ::syscall(SYS_tgkill, other, other, 0));
    findings.works("tgkill of oneself", ::syscall(SYS_tgkill, self, self, 0) == 0);
    findings.refused("another's limits", ::prlimit(other, RLIMIT_NOFILE, nullptr, nullptr));
    rlimit limit{};
    findings.works("own limits", ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && ::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    findings.refused("another's descriptors", ::syscall(SYS_kcmp, other, self, KCMP_FILE, fd, fd));
    findings.works("own descriptors", ::syscall(SYS_kcmp, self, self, KCMP_FILE, fd, fd) == 0 || errno == ENOSYS);
    findings.refused("outliving the parent", ::prctl(PR_SET_PDEATHSIG, 0));
    findings.works("a name", ::prctl(PR_SET_NAME, "name") == 0);
    cpu_set_t processors;
    findings.works("processors", ::sched_getaffinity(0, sizeof processors, &processors) == 0 &&
                                     ::sched_setaffinity(0, sizeof processors, &processors) == 0);
  });
}

TEST_F(LinuxSandbox, OtherProcessesCannotBeLookedInto) {
  in_child([](Findings& findings) {
    const std::string other = "/proc/" + std::to_string(::getppid());
    findings.works("before", open_file(other + "/environ", O_RDONLY) >= 0);
    if (!restrict_files({})) return findings.works("restrict", false);
    findings.refused("environment", open_file(other + "/environ", O_RDONLY), EACCES);
    findings.refused("memory", open_file(other + "/mem", O_RDONLY), EACCES);
    findings.works("oneself", open_file("/proc/self/maps", O_RDONLY) >= 0);
    findings.works("processors", open_file("/proc/cpuinfo", O_RDONLY) >= 0);
  });
}

TEST_F(LinuxSandbox, DevicesAreThoseOfDrivers) {
  in_child([](Findings& findings) {
    findings.works("before", open_file("/dev/full", O_RDONLY) >= 0);
    if (!restrict_files({})) return findings.works("restrict", false);
    // It stands for disks and keyboards, which may not be here.
    findings.refused("a device", open_file("/dev/full", O_RDONLY), EACCES);
    findings.works("random numbers", open_file("/dev/urandom", O_RDONLY) >= 0);
  });
}

TEST_F(LinuxSandbox, APipeCanBeNamedAsAFile) {
  const auto pipe = create_pipe();
  ASSERT_TRUE(pipe.has_value());
  in_child([&](Findings& findings) {
    const std::string name = "/dev/fd/" + std::to_string(pipe->writer.get());
    findings.works("restrict", restrict_files({name}) && restrict_calls());
    findings.works("open it again", open_file(name, O_WRONLY | O_APPEND | O_CREAT) >= 0);
  });
}

TEST_F(LinuxSandbox, DriversKeepTheirCaches) {
  auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder.has_value());
  const std::string cache = folder->path() + "/mesa_shader_cache", other = folder->path() + "/other";
  ASSERT_EQ(::mkdir(cache.c_str(), 0700) | ::mkdir(other.c_str(), 0700), 0);
  in_child([&](Findings& findings) {
    ::setenv("XDG_CACHE_HOME", folder->path().c_str(), 1);
    findings.works("restrict", restrict_files({}) && restrict_calls());
    findings.works("folder", ::mkdir((cache + "/00").c_str(), 0700) == 0);
    findings.works("new file", open_file(cache + "/00/new", O_RDWR | O_CREAT) >= 0);
    findings.works("rename", ::rename((cache + "/00/new").c_str(), (cache + "/new").c_str()) == 0);
    findings.works("truncate", ::truncate((cache + "/new").c_str(), 100) == 0);
    findings.works("remove", ::unlink((cache + "/new").c_str()) == 0 && ::rmdir((cache + "/00").c_str()) == 0);
    findings.refused("another program's", open_file(other + "/new", O_RDWR | O_CREAT), EACCES);
  });
}

TEST_F(LinuxSandbox, ProgramsCannotBeRunFromTheStart) {
  if (kProcessesAreLeft) GTEST_SKIP() << "sanitizers start processes";
  in_child([](Findings& findings) {
    if (!restrict_files({})) return findings.works("restrict", false);
    char name[] = "true";
    char* arguments[] = {name, nullptr};
    findings.refused("exec", ::execv("/bin/true", arguments), EACCES);
  });
}

}  // namespace
}  // namespace pvgpu::platform
