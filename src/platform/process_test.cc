#include "platform/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/pipe.h"
#include "platform/poller.h"
#include "platform/shared_memory.h"
#include "platform/signals.h"
#include "platform/unix_socket.h"

namespace pvgpu::platform {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Command shell(const std::string& script) {
  Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", script};
  return command;
}

// What `command` writes to its descriptor 3.
std::string output_of(Command command, std::vector<int> more_descriptors = {}) {
  auto [reader, writer] = create_pipe().value();
  command.descriptors = {writer.get()};
  for (int fd : more_descriptors) command.descriptors.push_back(fd);
  auto child = ChildProcess::spawn(command);
  EXPECT_TRUE(child.has_value());
  writer.reset();
  auto text = read_to_end(reader.get());
  EXPECT_TRUE(child->wait().success());
  return text.value_or("");
}

TEST(ChildProcess, ReportsExitCodesAndSignals) {
  auto exits = ChildProcess::spawn(shell("exit 7"));
  ASSERT_TRUE(exits.has_value());
  ExitStatus status = exits->wait();
  EXPECT_EQ(status.code, 7);
  EXPECT_EQ(status.shell_code(), 7);
  EXPECT_EQ(status.describe(), "exit code 7");

  auto crashes = ChildProcess::spawn(shell("kill -SEGV $$"));
  ASSERT_TRUE(crashes.has_value());
  status = crashes->wait();
  EXPECT_EQ(status.signal, SIGSEGV);
  EXPECT_EQ(status.shell_code(), 128 + SIGSEGV);
  EXPECT_EQ(status.describe(), "signal SIGSEGV");
  EXPECT_FALSE(status.success());
}

TEST(ChildProcess, MissingProgramsAreErrors) {
  Command command;
  command.program = "/nonexistent/program";
  auto child = ChildProcess::spawn(command);
  ASSERT_FALSE(child.has_value());
  EXPECT_NE(child.error().what.find("no such file"), std::string::npos) << child.error().what;
}

TEST(ChildProcess, SeesOnlyTheDescriptorsItIsGiven) {
  UniqueFd leaked(::open("/dev/null", O_RDONLY));  // not close-on-exec on purpose
  ASSERT_GT(leaked.get(), 2);
  // The shell's own descriptor of the folder is gone when a name is tested.
  std::string text = output_of(
      shell(
          "for fd in /proc/$$/fd/*; do [ -e $fd ] && all=\"$all ${fd##*/}\"; done; echo $all >&3"),
      {leaked.get()});
  EXPECT_EQ(text, "0 1 2 3 4\n");
}

TEST(ChildProcess, PassesDescriptorsInOrderEvenWhenTheirNumbersOverlap) {
  auto first = sealed_file("first", "a");
  auto second = sealed_file("second", "b");
  ASSERT_TRUE(first && second);
  // Occupies 3 and 4 crosswise where they are free or not: `second` comes before `first`.
  Command command = shell("cat <&4 >&3; cat <&5 >&3");
  EXPECT_EQ(output_of(command, {second->get(), first->get()}), "secondfirst");
}

TEST(ChildProcess, TakesTheEnvironmentItIsGiven) {
  Command command = shell("echo \"$ONE-$HOME\" >&3");
  command.environment = {"ONE=1", "PATH=/usr/bin:/bin"};
  EXPECT_EQ(output_of(command), "1-\n");
}

TEST(ChildProcess, StandardStreamsCanBeKeptAway) {
  Command command = shell("cat; [ /proc/$$/fd/1 -ef /proc/$$/fd/2 ] && echo same >&3");
  command.standard_streams_to_log = true;
  EXPECT_EQ(output_of(command), "same\n");
}

TEST(ChildProcess, StartsWithNoSignalBlocked) {
  auto queue = SignalQueue::create({SIGTERM, SIGINT});
  ASSERT_TRUE(queue.has_value());
  ignore_broken_pipes();
  auto child = ChildProcess::spawn(shell("kill -TERM $$; exit 0"));
  ASSERT_TRUE(child.has_value());
  EXPECT_EQ(child->wait().signal, SIGTERM);
  auto pipe_child = ChildProcess::spawn(shell("kill -PIPE $$; exit 0"));
  ASSERT_TRUE(pipe_child.has_value());
  EXPECT_EQ(pipe_child->wait().signal, SIGPIPE);
}

TEST(ChildProcess, ItsEndIsSomethingToPollFor) {
  auto poller = Poller::create();
  ASSERT_TRUE(poller.has_value());
  auto child = ChildProcess::spawn(shell("exec sleep 1000"));
  ASSERT_TRUE(child.has_value());
  ASSERT_TRUE(poller->add(child->exit_fd().get(), 42, Poller::Interest::kReadable));
  EXPECT_TRUE(poller->wait(milliseconds(0)).empty());
  child->kill(SIGKILL);
  auto ready = poller->wait(seconds(60));
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0], 42u);
  EXPECT_EQ(child->wait_for(milliseconds(0))->signal, SIGKILL);
}

TEST(ChildProcess, IsKilledAndReapedByItsOwner) {
  pid_t pid = -1;
  {
    auto child = ChildProcess::spawn(shell("exec sleep 1000"));
    ASSERT_TRUE(child.has_value());
    pid = child->pid();
    EXPECT_FALSE(child->poll().has_value());
    EXPECT_FALSE(child->wait_for(milliseconds(1)).has_value());
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ChildProcess, IsAmongTheRunningOnesUntilItEnds) {
  auto child = ChildProcess::spawn(shell("exec sleep 1000"));
  ASSERT_TRUE(child.has_value());
  EXPECT_EQ(running_children(), std::vector<pid_t>{child->pid()});
  child->kill(SIGKILL);
  pollfd ended{child->exit_fd().get(), POLLIN, 0};
  ASSERT_EQ(::poll(&ended, 1, 60000), 1);
  EXPECT_EQ(running_children(), std::vector<pid_t>{});  // not reaped yet
}

TEST(ChildProcess, LeavesNoDescriptorBehind) {
  size_t before = current_usage().descriptors;
  for (int i = 0; i < 50; i++) {
    auto child = ChildProcess::spawn(shell("exit 0"));
    ASSERT_TRUE(child.has_value());
    child->wait();
  }
  EXPECT_EQ(current_usage().descriptors, before);
}

TEST(EndWithParent, TellsWhetherTheParentIsStillThere) {
  // In a child, so that this process keeps its own way to end.
  pid_t child = ::fork();
  if (child == 0) {
    bool right = end_with_parent(SIGKILL, ::getppid());
    bool wrong = end_with_parent(SIGKILL, ::getppid() + 1);
    ::_exit(right && !wrong ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(DescriptorLimit, IsRaisedToTheHardLimit) {
  rlimit before{}, after{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit lower = before;
  lower.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  raise_descriptor_limit();
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(SignalQueue, GivesSignalsAsDataAndRestoresTheMask) {
  {
    auto queue = SignalQueue::create({SIGUSR1});
    ASSERT_TRUE(queue.has_value());
    EXPECT_FALSE(queue->next().has_value());
    ::kill(::getpid(), SIGUSR1);
    auto poller = Poller::create();
    poller->add(queue->fd().get(), 1, Poller::Interest::kReadable);
    ASSERT_EQ(poller->wait(seconds(60)).size(), 1u);
    auto signal = queue->next();
    ASSERT_TRUE(signal.has_value());
    EXPECT_EQ(signal->number, SIGUSR1);
    EXPECT_FALSE(signal->from_terminal);
  }
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGUSR1), 0);
}

TEST(Poller, HangUpIsReportedOnceAndUnreadDataIsNot) {
  auto poller = Poller::create();
  auto pair = socket_pair();
  ASSERT_TRUE(poller && pair);
  poller->add(pair->first.get(), 9, Poller::Interest::kHangUp);
  const std::byte byte[1] = {};
  ASSERT_TRUE(send_all(pair->second.get(), byte));
  EXPECT_TRUE(poller->wait(milliseconds(0)).empty());
  pair->second.reset();
  ASSERT_EQ(poller->wait(seconds(60)).size(), 1u);
  EXPECT_TRUE(poller->wait(milliseconds(0)).empty());
  poller->remove(pair->first.get());
}

TEST(SealedFile, CannotBeChangedAndIsReadWholeByManyHolders) {
  std::string contents(100000, 'x');
  auto file = sealed_file(contents, "test");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(::write(file->get(), "y", 1), -1);
  EXPECT_NE(::ftruncate(file->get(), 0), 0);
  EXPECT_EQ(read_file(file->get()).value_or(""), contents);
  EXPECT_EQ(read_file(file->duplicate().get()).value_or(""), contents);
}

}  // namespace
}  // namespace pvgpu::platform
