#include "frontends/server/worker_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <utility>

namespace pvgpu::frontends::server {
namespace {

// A worker that was started ahead ends with 7 once it is told whose it is, one that was started for its guest with 8. (A shell cannot
// receive a descriptor.)
constexpr const char* kWorker = R"(case "$*" in *--ready*) head -c 1 <&3 >/dev/null && exit 7 ;; esac; exit 8)";
constexpr const char *kReady = "exit code 7", *kNew = "exit code 8";

class GuestWorkersTest : public testing::Test {
 protected:
  void make(size_t ready) {
    WorkerCommand command{.program = "/bin/sh", .arguments = {"-c", kWorker}, .ready_workers = ready};
    workers_ = std::move(worker_processes(std::move(command), {}).value());
  }
  // How the worker of a new guest ends.
  std::string start() {
    auto task = workers_.start({}, std::move(platform::socket_pair().value().first));
    if (!task) return task.error().what;
    pollfd end{.fd = (*task)->end_fd().get(), .events = POLLIN, .revents = 0};
    ::poll(&end, 1, -1);
    const auto outcome = (*task)->outcome();
    return outcome ? outcome->detail : "it runs";
  }

  ClientWorkers workers_;
};

TEST_F(GuestWorkersTest, OneIsInTheMakingWhileGuestsCome) {
  make(2);
  EXPECT_EQ(start(), kNew);
  EXPECT_EQ(start(), kReady);
  EXPECT_EQ(start(), kReady);
}

TEST_F(GuestWorkersTest, NoneIsReadyUnlessTold) {
  make(0);
  EXPECT_EQ(start(), kNew);
  workers_.prepare(1);
  EXPECT_EQ(start(), kNew);
}

}  // namespace
}  // namespace pvgpu::frontends::server
