// Devices of the C API whose contexts live in processes of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "library/testing/vmm.h"
#include "platform/process.h"
#include "platform/sandbox.h"

namespace pvgpu::library::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class LibraryWorkers : public Library {
 protected:
  static constexpr pvgpu_device_options kOptions{.size = sizeof(pvgpu_device_options), .window_bytes = 1 << 20, .worker = PVGPU_PROGRAM};
  // That of the context, and the one that waits for the next context. Returns once they have ended: one that is just ending may still be
  // given that context.
  static void kill_workers() {
    const auto workers = platform::running_children();
    ASSERT_THAT(workers, Not(IsEmpty()));
    for (const pid_t worker : workers) ::kill(worker, SIGSEGV);
    while (!platform::running_children().empty()) ::usleep(1000);
  }
};

TEST_F(LibraryWorkers, ACrashTakesOneContextAndNothingElse) {
  Vmm vmm(host_);
  vmm.replace_device(host_, kOptions);
  vmm.probe();
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_EQ(vmm.create_blob(), kOkNoData);
  EXPECT_EQ(vmm.map_blob(), kOkMapInfo);
  EXPECT_EQ(vmm.call(kSubmit3d, {0, 0}), kOkNoData);
  kill_workers();
  EXPECT_EQ(vmm.call(kSubmit3d, {0, 0}), kErrUnspec);
  EXPECT_EQ(vmm.mapped, 1) << "the guest may still look at its memory";
  EXPECT_EQ(vmm.unref_blob(), kOkNoData);
  EXPECT_EQ(vmm.call(kCtxDestroy, {}), kOkNoData);
  // The guest's next process.
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_EQ(vmm.create_blob(), kOkNoData);
  EXPECT_EQ(vmm.map_blob(), kOkMapInfo);
  EXPECT_EQ(vmm.call(kSubmit3d, {0, 0}), kOkNoData);
}

TEST_F(LibraryWorkers, PointersOutliveTheWorker) {
  Vmm vmm(host_, {}, true);
  vmm.replace_device(host_, kOptions);
  vmm.probe();
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_EQ(vmm.create_blob(), kOkNoData);
  EXPECT_EQ(vmm.map_blob(), kOkMapInfo);
  ASSERT_NE(vmm.pointer_mapped, nullptr);
  vmm.pointer_mapped[7] = 42;
  kill_workers();
  EXPECT_EQ(vmm.call(kSubmit3d, {0, 0}), kErrUnspec);
  EXPECT_EQ(vmm.pointer_mapped[7], 42);
}

TEST_F(LibraryWorkers, EndWithTheirContextsAndWithTheDevice) {
  Vmm vmm(host_);
  vmm.replace_device(host_, kOptions);
  vmm.probe();
  const auto ready = platform::running_children();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_THAT(platform::running_children(), Contains(ready[0]));
  EXPECT_EQ(pvgpu_device_reset(vmm.device), 0);
  vmm.forget();
  EXPECT_EQ(pvgpu_device_accept_features(vmm.device, pvgpu_device_features(vmm.device)), 0);
  EXPECT_EQ(vmm.start(), 0);
  EXPECT_EQ(vmm.create_context(), kOkNoData);
  EXPECT_EQ(pvgpu_device_destroy(std::exchange(vmm.device, nullptr)), 0);
  EXPECT_THAT(platform::running_children(), IsEmpty());
}

TEST_F(LibraryWorkers, AreSandboxed) {
  const auto files = platform::file_restriction(), calls = platform::call_restriction();
  if (!platform::kSandboxIsTried || !files || !calls) GTEST_SKIP() << "workers are not sandboxed on this system";
  // The workers' log goes where this process's errors go.
  ASSERT_EQ(pvgpu_set_log(nullptr, nullptr, PVGPU_LOG_DEBUG), 0);
  ::testing::internal::CaptureStderr();
  {
    Vmm vmm(host_);
    vmm.replace_device(host_, kOptions);
    vmm.probe();
    EXPECT_EQ(vmm.create_context(), kOkNoData);
    EXPECT_EQ(vmm.call(kSubmit3d, {0, 0}), kOkNoData);
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("sandboxed: files by " + *files + ", system calls by " + *calls));
  EXPECT_EQ(pvgpu_set_log(nullptr, nullptr, PVGPU_LOG_INFO), 0);
}

TEST_F(LibraryWorkers, OtherProgramsAreRefused) {
  Vmm vmm(host_);
  pvgpu_device_options options = kOptions;
  pvgpu_device* device = nullptr;
  for (const char* program : {"/bin/true", "/no/such/program", ""}) {
    options.worker = program;
    EXPECT_EQ(pvgpu_device_create(host_, &options, &vmm.callbacks, &device), -ENOENT) << program;
    EXPECT_EQ(device, nullptr);
  }
}

}  // namespace
}  // namespace pvgpu::library::testing
