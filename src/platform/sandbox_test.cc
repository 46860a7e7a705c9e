#include "platform/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "platform/descriptor_message.h"
#include "platform/event.h"
#include "platform/packet_socket.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/temporary_folder.h"
#include "platform/testing/restricted_child.h"

namespace pvgpu::platform {
namespace {

using testing::Findings;
using testing::in_child;
using testing::kProcessesAreLeft;

struct Sandbox : ::testing::Test {
  void SetUp() override {
    for (const auto& possible : {file_restriction(), call_restriction()})
      if (!possible) GTEST_SKIP() << possible.error().what;
    ASSERT_TRUE(folder.has_value());
  }

  std::string path(const char* name) const { return folder->path() + '/' + name; }
  static void restrict(Findings& findings, const std::vector<std::string>& files = {}) {
    const auto restricted_files = restrict_files(files);
    findings.works(restricted_files ? "" : restricted_files.error().what.c_str(), restricted_files.has_value());
    const auto restricted_calls = restrict_calls();
    findings.works(restricted_calls ? "" : restricted_calls.error().what.c_str(), restricted_calls.has_value());
  }

  Result<TemporaryFolder> folder = TemporaryFolder::create();
};

long open_file(const std::string& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); }

long run_true() {
  char name[] = "true";
  char* arguments[] = {name, nullptr};
  return ::execv("/bin/true", arguments);
}

long spawn_true() {
  char name[] = "true";
  char* arguments[] = {name, nullptr};
  pid_t child = -1;
  errno = ::posix_spawn(&child, "/bin/true", nullptr, nullptr, arguments, nullptr);
  return errno == 0 ? child : -1;
}

// What the next tests refuse is possible before.
TEST_F(Sandbox, NothingIsRefusedWithoutIt) {
  in_child([&](Findings& findings) {
    findings.works("spawn", spawn_true() > 0);
    findings.works("socket", ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
    findings.works("kill", ::kill(::getppid(), 0) == 0);
    findings.works("create", open_file(path("new"), O_WRONLY | O_CREAT) >= 0);
    findings.works("mkdir", ::mkdir(path("folder").c_str(), 0700) == 0);
    findings.works("unlink", ::unlink(path("new").c_str()) == 0);
    findings.works("read a device", open_file("/dev/tty", O_RDONLY) >= 0 || errno == ENXIO);
  });
}

TEST_F(Sandbox, NoOtherProcesses) {
  if (kProcessesAreLeft) GTEST_SKIP() << "sanitizers start processes";
  in_child([&](Findings& findings) {
    restrict(findings);
    findings.refused("fork", ::fork());
    findings.refused("spawn", spawn_true());
    findings.refused("exec", run_true());
    findings.refused("signal to another process", ::kill(::getppid(), 0));
    findings.refused("signal to all processes of a group", ::kill(0, 0));
  });
}

TEST_F(Sandbox, NoConnections) {
  in_child([&](Findings& findings) {
    restrict(findings);
    for (const int domain : {AF_UNIX, AF_INET, AF_INET6})
      for (const int type : {SOCK_STREAM, SOCK_DGRAM}) findings.refused("socket", ::socket(domain, type, 0));
    findings.refused("socket", ::socket(AF_INET, SOCK_SEQPACKET, 0));
  });
}

TEST_F(Sandbox, FilesAreReadNotWritten) {
  std::ofstream(path("file")) << "text";
  ASSERT_EQ(::mkdir(path("folder").c_str(), 0700), 0);
  in_child([&](Findings& findings) {
    restrict(findings);
    char text[4];
    const long fd = open_file(path("file"), O_RDONLY);
    findings.works("read", ::read(static_cast<int>(fd), text, sizeof text) == 4);
    findings.refused("write", open_file(path("file"), O_WRONLY), EACCES);
    findings.refused("truncate", ::truncate(path("file").c_str(), 0), EACCES);
    findings.refused("create", open_file(path("new"), O_WRONLY | O_CREAT), EACCES);
    findings.refused("unlink", ::unlink(path("file").c_str()), EACCES);
    findings.refused("rename", ::rename(path("file").c_str(), path("other").c_str()), EACCES);
    findings.refused("mkdir", ::mkdir(path("new").c_str(), 0700), EACCES);
    findings.refused("rmdir", ::rmdir(path("folder").c_str()), EACCES);
    findings.refused("chmod", ::chmod(path("file").c_str(), 0777));
    findings.refused("chown", ::chown(path("file").c_str(), 0, 0));
    findings.refused("link", ::link(path("file").c_str(), path("new").c_str()));
    findings.refused("symlink", ::symlink("file", path("new").c_str()));
  });
}

TEST_F(Sandbox, NamedFilesAreWritten) {
  in_child([&](Findings& findings) {
    restrict(findings, {path("recording")});
    findings.works("create", open_file(path("recording"), O_WRONLY | O_CREAT | O_TRUNC) >= 0);
    findings.works("write", open_file(path("recording"), O_WRONLY | O_TRUNC) >= 0);
    findings.works("write that of a later guest", open_file(path("recording.2"), O_WRONLY | O_CREAT | O_TRUNC) >= 0);
    findings.refused("unlink", ::unlink(path("recording").c_str()), EACCES);
  });
}

TEST_F(Sandbox, ServingGoesOn) {
  auto pair = packet_socket_pair();
  ASSERT_TRUE(pair.has_value());
  in_child([&](Findings& findings) {
    restrict(findings);
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::thread thread([&] {
      std::lock_guard lock(mutex);
      done = true;
      changed.notify_one();
    });
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return done; });
    }
    thread.join();

    const size_t size = page_size();
    void* code = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    findings.works("code at run time", code != MAP_FAILED && ::mprotect(code, size, PROT_READ | PROT_EXEC) == 0);
    const auto memory = SharedMemory::create(size, "pvgpu-test");
    findings.works("shared memory", memory.has_value());
    findings.works("event", Event::create().has_value());
    const std::byte byte{};
    findings.works("send a descriptor",
                   memory && send_packet(pair->first.get(), std::span(&byte, 1), {}, memory->fd().get(), Blocking::kYes));
    std::byte received{};
    const auto packet = receive_packet(pair->second.get(), std::span(&received, 1));
    findings.works("receive it", packet && SharedMemory::open(platform::duplicate(packet->descriptor.get()), size).has_value());
    findings.works("a null device", open_file("/dev/null", O_RDWR) >= 0);
    static std::atomic<int> signalled = 0;
    ::signal(SIGUSR1, [](int) { ++signalled; });
    findings.works("a signal to oneself", ::raise(SIGUSR1) == 0 && ::kill(::getpid(), SIGUSR1) == 0 && signalled == 2);
  });
}

TEST_F(Sandbox, ThreadsThatExistAreRestrictedToo) {
  in_child([&](Findings& findings) {
    const auto restricted_files = restrict_files({});
    findings.works("restrict files", restricted_files.has_value());
    std::mutex mutex;
    std::condition_variable changed;
    bool restricted = false;
    std::thread thread([&] {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return restricted; });
      findings.refused("socket", ::socket(AF_UNIX, SOCK_STREAM, 0));
      findings.refused("create", open_file(path("new"), O_WRONLY | O_CREAT), EACCES);
    });
    findings.works("restrict calls", restrict_calls().has_value());
    {
      std::lock_guard lock(mutex);
      restricted = true;
      changed.notify_one();
    }
    thread.join();
  });
}

TEST_F(Sandbox, ACrashStillShows) {
  const pid_t child = ::fork();
  if (child == 0) {
    Findings findings;
    restrict(findings);
    if (findings.count() == 0) std::abort();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

}  // namespace
}  // namespace pvgpu::platform
