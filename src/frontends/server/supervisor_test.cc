#include "frontends/server/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <semaphore>
#include <thread>

#include "frontends/server/worker_process.h"
#include "frontends/vtest/messages.h"
#include "observe/log.h"
#include "platform/process.h"
#include "platform/temporary_folder.h"

namespace pvgpu::frontends::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Serves until its guest closes the connection; the guest's socket is descriptor 3.
constexpr const char* kPatient = "exec cat <&3 >/dev/null";

// The supervisor with shell scripts as workers, in a thread of its own.
class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() {
    observe::set_level(observe::Level::kOff);
    folder_.emplace(platform::TemporaryFolder::create().value());
    path_ = folder_->path() + "/socket";
    // Before any thread exists, so that the signal does not reach another one.
    signals_.emplace(platform::SignalQueue::create({SIGUSR2}).value());
    listener_.emplace(platform::ListeningSocket::create(path_).value());
  }
  ~SupervisorTest() override {
    if (running_.valid()) stop();
    observe::set_level(observe::Level::kInfo);
  }

  void start(const std::string& script, Supervisor::Options options = {}) {
    WorkerCommand command;
    command.program = "/bin/sh";
    command.arguments = {"-c", script};
    command.append_options = false;
    start_with(worker_processes(command, {"host_import", "{}"}).value().start, options);
  }
  void start_with(ClientStarter starter, Supervisor::Options options) {
    supervisor_.emplace(
        Supervisor::create(*listener_, *signals_, std::move(starter), options).value());
    running_ = std::async(std::launch::async, [this] { return supervisor_->run(); });
  }
  bool stop() {
    ::kill(::getpid(), SIGUSR2);
    bool clean = running_.get();
    supervisor_.reset();
    return clean;
  }
  platform::UniqueFd connect() { return platform::connect_to(path_).value(); }

  // Reads until the server closes; fails the test at a deadline.
  static std::vector<std::byte> read_to_close(const platform::UniqueFd& guest) {
    std::vector<std::byte> all;
    std::byte buffer[256];
    for (;;) {
      pollfd entry{guest.get(), POLLIN, 0};
      EXPECT_EQ(::poll(&entry, 1, 60000), 1);
      if (!entry.revents) return all;
      ssize_t count = platform::receive_some(guest.get(), buffer);
      if (count <= 0) return all;
      all.insert(all.end(), buffer, buffer + count);
    }
  }
  static void expect_farewell(std::span<const std::byte> bytes) {
    EXPECT_TRUE(std::ranges::equal(bytes, std::as_bytes(std::span(vtest::kFarewell))));
  }

  std::optional<platform::TemporaryFolder> folder_;
  std::string path_;
  std::optional<platform::SignalQueue> signals_;
  std::optional<platform::ListeningSocket> listener_;
  std::optional<Supervisor> supervisor_;
  std::future<bool> running_;
};

TEST_F(SupervisorTest, EachGuestHasAWorkerOfItsOwn) {
  start("echo $$ >&3; cat <&3 >/dev/null");
  platform::UniqueFd first = connect(), second = connect();
  auto line = [](const platform::UniqueFd& guest) {
    std::string text;
    std::byte byte[1];
    while (platform::receive_exactly(guest.get(), byte) && byte[0] != std::byte{'\n'}) {
      text += static_cast<char>(byte[0]);
    }
    return text;
  };
  std::string first_pid = line(first), second_pid = line(second);
  EXPECT_FALSE(first_pid.empty());
  EXPECT_NE(first_pid, second_pid);
  EXPECT_TRUE(stop());
  for (const std::string& pid : {first_pid, second_pid}) {
    EXPECT_EQ(::kill(std::stoi(pid), 0), -1);
    EXPECT_EQ(errno, ESRCH);
  }
}

TEST_F(SupervisorTest, WorkersInheritTheProfile) {
  start("cat <&4 >&3");
  platform::UniqueFd guest = connect();
  auto bytes = read_to_close(guest);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
            "host_import\n{}");
}

TEST_F(SupervisorTest, AThousandGuestsLeaveNothingBehind) {
  start("exec true");
  platform::UniqueFd warm_up = connect();
  read_to_close(warm_up);
  warm_up.reset();
  auto before = platform::current_usage();
  for (int i = 0; i < 1000; i++) {
    platform::UniqueFd guest = connect();
    read_to_close(guest);
  }
  auto after = platform::current_usage();
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.threads, before.threads);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(after.resident_bytes, before.resident_bytes + (1 << 20));
#endif
  EXPECT_TRUE(stop());
}

TEST_F(SupervisorTest, ACrashEndsOneGuestOnlyAndTellsIt) {
  start("read command <&3; [ $command = crash ] && kill -SEGV $$; echo fine >&3");
  platform::UniqueFd victim = connect(), other = connect();
  const std::string crash = "crash\n", work = "work\n";
  ASSERT_TRUE(platform::send_all(victim.get(), std::as_bytes(std::span(crash))));
  expect_farewell(read_to_close(victim));
  ASSERT_TRUE(platform::send_all(other.get(), std::as_bytes(std::span(work))));
  EXPECT_EQ(read_to_close(other).size(), 5u);
}

TEST_F(SupervisorTest, AWorkerThatCannotServeTellsItsGuest) {
  start("exit 2");
  platform::UniqueFd guest = connect();
  expect_farewell(read_to_close(guest));
}

TEST_F(SupervisorTest, TooManyGuestsAreRefusedPolitelyAndLaterOnesServed) {
  Supervisor::Options options;
  options.max_clients = 1;
  start(std::string("echo served >&3; ") + kPatient, options);
  platform::UniqueFd first = connect();
  std::byte served[7];
  ASSERT_TRUE(platform::receive_exactly(first.get(), served));
  platform::UniqueFd second = connect();
  std::array<std::byte, sizeof vtest::kFarewell> farewell;
  ASSERT_TRUE(platform::receive_exactly(second.get(), farewell));
  expect_farewell(farewell);
  // The connection stays, so that the guest's own messages are no broken pipe to it.
  ASSERT_TRUE(platform::send_all(second.get(), served));
  first.reset();
  // Its worker ends some time after that; until then further guests are refused.
  std::byte answer{};
  while (answer != std::byte{'s'}) {
    platform::UniqueFd next = connect();
    ASSERT_TRUE(platform::receive_exactly(next.get(), std::span(&answer, 1)));
  }
}

TEST_F(SupervisorTest, AWorkerThatOutlivesItsGuestIsKilled) {
  Supervisor::Options options;
  options.hang_up_grace = milliseconds(20);
  // Hung up when the worker, which alone writes to it, has ended.
  const std::string alive = folder_->path() + "/alive";
  ASSERT_EQ(::mkfifo(alive.c_str(), 0600), 0);
  platform::UniqueFd ended(::open(alive.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_TRUE(ended.valid());
  start("exec 5>" + alive + "; echo ready >&3; exec sleep 1000", options);
  platform::UniqueFd guest = connect();
  std::byte ready[6];
  ASSERT_TRUE(platform::receive_exactly(guest.get(), ready));
  guest.reset();
  pollfd entry{ended.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 60000), 1);
  EXPECT_TRUE(entry.revents & POLLHUP);
}

TEST_F(SupervisorTest, StoppingKillsWorkersThatIgnoreIt) {
  Supervisor::Options options;
  options.stop_grace = milliseconds(20);
  start("trap '' TERM; echo ready >&3; exec sleep 1000", options);
  platform::UniqueFd guest = connect();
  std::byte ready[6];
  ASSERT_TRUE(platform::receive_exactly(guest.get(), ready));
  EXPECT_TRUE(stop());
  expect_farewell(read_to_close(guest));
}

TEST_F(SupervisorTest, StoppingWithoutGuestsIsImmediate) {
  start(kPatient);
  EXPECT_TRUE(stop());
}

TEST_F(SupervisorTest, HasTimeToPrepareAtFirstAndAfterGuests) {
  Supervisor::Options options;
  std::binary_semaphore quiet(0);
  options.quiet = milliseconds(1);
  options.on_quiet = [&] { quiet.release(); };
  start(kPatient, options);
  EXPECT_TRUE(quiet.try_acquire_for(seconds(60)));
  platform::UniqueFd guest = connect();
  EXPECT_TRUE(quiet.try_acquire_for(seconds(60)));
  EXPECT_FALSE(quiet.try_acquire_for(milliseconds(50)));
  EXPECT_TRUE(stop());
}

TEST_F(SupervisorTest, HasTimeToPrepareWhenTheLastGuestHasGone) {
  Supervisor::Options options;
  std::binary_semaphore quiet(0);
  options.quiet = std::chrono::hours(1);
  options.on_quiet = [&] { quiet.release(); };
  start(std::string("echo served >&3; ") + kPatient, options);
  std::byte served[7];
  platform::UniqueFd first = connect(), second = connect();
  for (const auto* guest : {&first, &second}) ASSERT_TRUE(platform::receive_exactly(guest->get(), served));
  first.reset();
  EXPECT_FALSE(quiet.try_acquire_for(milliseconds(50)));
  second.reset();
  EXPECT_TRUE(quiet.try_acquire_for(seconds(60)));
}

TEST_F(SupervisorTest, RunningOutOfDescriptorsIsSurvived) {
  // A starter that fails as spawning does then.
  int failures = 2;
  WorkerCommand command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "echo served >&3"};
  command.append_options = false;
  auto real = worker_processes(command, {"host_import", "{}"}).value().start;
  start_with(
      [&, real](const ClientInfo& info,
                platform::UniqueFd socket) -> Result<std::unique_ptr<ClientTask>> {
        if (failures-- > 0) return fail("cannot start a process: too many open files");
        return real(info, std::move(socket));
      },
      {});
  for (int i = 0; i < 2; i++) {
    platform::UniqueFd guest = connect();
    std::array<std::byte, sizeof vtest::kFarewell> farewell;
    ASSERT_TRUE(platform::receive_exactly(guest.get(), farewell));
    expect_farewell(farewell);
  }
  platform::UniqueFd guest = connect();
  EXPECT_EQ(read_to_close(guest).size(), 7u);
}

TEST(ProbeText, GoesThereAndBack) {
  auto probe = probe_from_text(probe_to_text({"dma_buf", "{\n}\n"}));
  ASSERT_TRUE(probe.has_value());
  EXPECT_EQ(probe->memory, "dma_buf");
  EXPECT_EQ(probe->profile_json, "{\n}\n");
  EXPECT_FALSE(probe_from_text("").has_value());
  EXPECT_FALSE(probe_from_text("dma_buf").has_value());
  EXPECT_FALSE(probe_from_text("dma_buf\n").has_value());
}

Result<ProbeResult> run_probe(const std::string& script) {
  WorkerCommand command;
  command.program = "/bin/sh";
  command.arguments = {"-c", script};
  command.append_options = false;
  auto probe = Probe::start(command);
  if (!probe) return std::unexpected(probe.error());
  pollfd entry{probe->end_fd().get(), POLLIN, 0};
  EXPECT_EQ(::poll(&entry, 1, 60000), 1);
  return probe->result();
}

TEST(Probe, BringsBackWhatTheChildWrote) {
  auto result = run_probe("printf 'host_import\\n' >&3; head -c 200000 /dev/zero | tr '\\0' x >&3");
  ASSERT_TRUE(result.has_value()) << result.error().what;
  EXPECT_EQ(result->memory, "host_import");
  EXPECT_EQ(result->profile_json.size(), 200000u);
}

TEST(Probe, SaysWhyThereIsNoDevice) {
  EXPECT_EQ(run_probe("exit 2").error().what, "");  // the child has told the user
  auto crash = run_probe("kill -SEGV $$");
  EXPECT_THAT(crash.error().what, testing::HasSubstr("SIGSEGV"));
  EXPECT_FALSE(crash.error().hint.empty());
  EXPECT_FALSE(run_probe("exit 0").has_value());
}

}  // namespace
}  // namespace pvgpu::frontends::server
