#include "frontends/server/context_workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "platform/packet_socket.h"
#include "platform/shared_memory.h"

namespace pvgpu::frontends::server {
namespace {

// A worker that was started ahead ends with 7 once it is told whose it is, one that was started for its context with 8. (A shell
// cannot receive a descriptor.)
constexpr const char* kWorker = R"(case "$*" in *--ready*) head -c 1 <&3 >/dev/null && exit 7 ;; esac; exit 8)";
constexpr int kReady = 7, kNew = 8;

class ContextWorkersTest : public testing::Test {
 protected:
  void make(size_t ready) {
    WorkerCommand command{.program = "/bin/sh", .arguments = {"-c", kWorker}, .ready_workers = ready};
    workers_.emplace(std::move(command), *platform::anonymous_file("profile"));
  }
  // How the worker of a new context ends.
  int start() {
    auto pair = platform::packet_socket_pair();
    auto process = workers_->start("cube", pair->second);
    return process ? process->wait().code : -1;
  }

  std::optional<ContextWorkers> workers_;
};

TEST_F(ContextWorkersTest, EachContextFindsOneReady) {
  make(1);
  EXPECT_EQ(start(), kReady);
  EXPECT_EQ(start(), kReady);
}

TEST_F(ContextWorkersTest, NoneIsReadyUnlessTold) {
  make(0);
  EXPECT_EQ(start(), kNew);
  EXPECT_EQ(start(), kNew);
}

}  // namespace
}  // namespace pvgpu::frontends::server
