// Contexts without a device, as a VMM with a virtio-gpu device of its own uses and misuses them, on the fake driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "library/testing/vmm.h"

namespace pvgpu::library::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr uint32_t kSetReplyCommandStream = 178, kEnumerateInstanceVersion = 137;
constexpr uint32_t kBlob = 7, kReplyOffset = 64, kReplyBytes = 20;

// With contexts in threads, and in processes of their own.
class RendererTest : public Library, public ::testing::WithParamInterface<const char*> {
 protected:
  RendererTest() {
    callbacks_ = {.size = sizeof callbacks_, .user = this, .fence = fence, .context_lost = lost};
    const pvgpu_renderer_options options{.size = sizeof options, .worker = GetParam()};
    EXPECT_EQ(pvgpu_renderer_create(host_, &options, &callbacks_, &renderer_), 0);
  }
  void TearDown() override {
    EXPECT_EQ(pvgpu_renderer_destroy(renderer_), 0);
    Library::TearDown();
  }

  pvgpu_context* new_context(void* user = nullptr) {
    const pvgpu_context_options options{.size = sizeof options, .capset_id = PVGPU_CAPSET_VENUS, .reserved = 0, .name = "test", .user = user};
    pvgpu_context* context = nullptr;
    EXPECT_EQ(pvgpu_context_create(renderer_, &options, &context), 0);
    return context;
  }
  static pvgpu_blob* new_blob(pvgpu_context* context, uint32_t resource = kBlob, uint64_t bytes = 5000) {
    const pvgpu_blob_request request{
        .size = sizeof request, .resource_id = resource, .flags = PVGPU_BLOB_MAPPABLE, .blob_id = 0, .bytes = bytes};
    pvgpu_blob* blob = nullptr;
    EXPECT_EQ(pvgpu_context_create_blob(context, &request, &blob), 0);
    return blob;
  }
  static pvgpu_blob_info info_of(const pvgpu_blob* blob) {
    pvgpu_blob_info info{.size = sizeof info};
    EXPECT_EQ(pvgpu_blob_get_info(blob, &info), 0);
    return info;
  }
  static int ask_version(pvgpu_context* context) {
    const uint32_t commands[] = {kSetReplyCommandStream, 0, 1, 0, kBlob, kReplyOffset, 0, kReplyBytes, 0,
                                 kEnumerateInstanceVersion, 1, 1, 0};
    return pvgpu_context_submit(context, commands, sizeof commands);
  }
  template <class Condition>
  void wait(Condition condition) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kDeadline, condition));
  }

  pvgpu_renderer_callbacks callbacks_;
  pvgpu_renderer* renderer_ = nullptr;
  // Under mutex_:
  std::vector<std::pair<uint32_t, uint64_t>> fences_;  // ring, id
  std::vector<void*> fence_users_, lost_;
  std::function<void()> on_fence_;

 private:
  static void fence(void* user, void* context_user, uint32_t ring_idx, uint64_t fence_id) {
    auto& self = *static_cast<RendererTest*>(user);
    if (self.on_fence_) self.on_fence_();
    std::lock_guard lock(self.mutex_);
    self.fences_.emplace_back(ring_idx, fence_id);
    self.fence_users_.push_back(context_user);
    self.changed_.notify_all();
  }
  static void lost(void* user, void* context_user) {
    auto& self = *static_cast<RendererTest*>(user);
    std::lock_guard lock(self.mutex_);
    self.lost_.push_back(context_user);
    self.changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
};

TEST_P(RendererTest, ExecutesWhatAGuestSubmits) {
  int user = 0;
  pvgpu_context* context = new_context(&user);
  pvgpu_blob* blob = new_blob(context);
  void* bytes = nullptr;
  ASSERT_EQ(pvgpu_blob_map(blob, &bytes), 0);
  EXPECT_EQ(ask_version(context), 0);
  EXPECT_EQ(pvgpu_context_fence(context, 0, 1ull << 40), 0);
  wait([&] { return !fences_.empty(); });
  EXPECT_THAT(fences_, ElementsAre(Pair(0u, 1ull << 40)));
  EXPECT_THAT(fence_users_, ElementsAre(&user));
  uint32_t reply[kReplyBytes / 4];
  std::memcpy(reply, static_cast<char*>(bytes) + kReplyOffset, sizeof reply);
  EXPECT_EQ(reply[0], kEnumerateInstanceVersion);
  EXPECT_EQ(reply[4] >> 22, 1u);
  EXPECT_TRUE(lost_.empty());
  EXPECT_EQ(pvgpu_context_destroy(context), 0);
  EXPECT_EQ(pvgpu_blob_destroy(blob), 0);
}

TEST_P(RendererTest, GivesTheFileAndThePointerOfABlobBeyondItsContext) {
  pvgpu_context* context = new_context();
  pvgpu_blob* blob = new_blob(context);
  EXPECT_EQ(pvgpu_context_destroy(context), 0);
  const pvgpu_blob_info info = info_of(blob);
  EXPECT_EQ(info.bytes, 8192u);
  EXPECT_EQ(info.map_info, static_cast<uint32_t>(PVGPU_MAP_CACHED));
  void *bytes = nullptr, *again = nullptr;
  ASSERT_EQ(pvgpu_blob_map(blob, &bytes), 0);
  EXPECT_EQ(pvgpu_blob_map(blob, &again), 0);
  EXPECT_EQ(bytes, again);
  void* file = ::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, info.fd, 0);
  ASSERT_NE(file, MAP_FAILED);
  static_cast<char*>(bytes)[8191] = 3;
  EXPECT_EQ(static_cast<char*>(file)[8191], 3);
  ::munmap(file, 8192);
  EXPECT_EQ(pvgpu_blob_destroy(blob), 0);
}

TEST_P(RendererTest, TellsOfALostContextOnce) {
  int first = 0, second = 0;
  pvgpu_context *context = new_context(&first), *other = new_context(&second);
  const uint32_t nonsense[] = {0xfffffff0, 0};
  EXPECT_EQ(pvgpu_context_submit(context, nonsense, sizeof nonsense), 0);
  EXPECT_EQ(pvgpu_context_submit(context, nonsense, sizeof nonsense), 0);
  EXPECT_EQ(pvgpu_context_fence(context, 5, 1), 0);  // is signalled all the same
  EXPECT_EQ(pvgpu_context_fence(other, 0, 2), 0);
  wait([&] { return fences_.size() == 2; });
  EXPECT_THAT(lost_, ElementsAre(&first));
  const pvgpu_blob_request request{.size = sizeof request, .resource_id = 1, .flags = 0, .blob_id = 0, .bytes = 1};
  pvgpu_blob* blob = nullptr;
  EXPECT_EQ(pvgpu_context_create_blob(context, &request, &blob), -EIO);
  EXPECT_EQ(blob, nullptr);
  EXPECT_EQ(pvgpu_context_destroy(context), 0);
  EXPECT_EQ(pvgpu_blob_destroy(new_blob(other)), 0);
  EXPECT_EQ(pvgpu_context_destroy(other), 0);
}

TEST_P(RendererTest, KeepsTheOrderOfFences) {
  pvgpu_context* context = new_context();
  for (uint64_t id = 1; id <= 50; id++) EXPECT_EQ(pvgpu_context_fence(context, 0, id), 0);
  wait([&] { return fences_.size() == 50; });
  for (uint64_t id = 1; id <= 50; id++) EXPECT_EQ(fences_[id - 1].second, id);
  EXPECT_EQ(pvgpu_context_destroy(context), 0);
}

TEST_P(RendererTest, SignalsWhatWaitsWhenTheContextGoes) {
  for (int round = 0; round < 20; round++) {
    pvgpu_context* context = new_context();
    for (uint64_t id = 0; id < 10; id++) EXPECT_EQ(pvgpu_context_fence(context, 0, id), 0);
    EXPECT_EQ(pvgpu_context_destroy(context), 0);
    EXPECT_EQ(fences_.size(), 10u);
    fences_.clear();
  }
}

TEST_P(RendererTest, SharesResourcesBetweenContexts) {
  pvgpu_context *maker = new_context(), *user = new_context();
  pvgpu_blob* blob = new_blob(maker);
  const pvgpu_blob_info info = info_of(blob);
  EXPECT_EQ(pvgpu_context_attach(user, kBlob, info.fd, info.bytes), 0);
  EXPECT_EQ(pvgpu_context_attach(user, kBlob, info.fd, info.bytes), 0) << "again";
  EXPECT_EQ(pvgpu_context_detach(user, kBlob), 0);
  EXPECT_EQ(pvgpu_blob_destroy(new_blob(user)), 0) << "the number is free";
  EXPECT_EQ(pvgpu_context_attach(user, 0, info.fd, info.bytes), -EINVAL);
  EXPECT_EQ(pvgpu_context_attach(user, 9, -1, info.bytes), -EINVAL);
  EXPECT_EQ(pvgpu_blob_destroy(blob), 0);
  EXPECT_EQ(pvgpu_context_destroy(maker), 0);
  EXPECT_EQ(pvgpu_context_destroy(user), 0);
}

TEST_P(RendererTest, CallbacksMaySubmitAndNothingThatWaits) {
  pvgpu_context* context = new_context();
  int destroyed = 0, submitted = -1, fenced = -1, closed = 0;
  bool first = true;
  on_fence_ = [&] {
    if (!std::exchange(first, false)) return;
    destroyed = pvgpu_context_destroy(context);
    closed = pvgpu_renderer_destroy(renderer_);
    submitted = pvgpu_context_submit(context, nullptr, 0);
    fenced = pvgpu_context_fence(context, 0, 2);
  };
  EXPECT_EQ(pvgpu_context_fence(context, 0, 1), 0);
  wait([&] { return fences_.size() == 2; });
  EXPECT_EQ(destroyed, -EDEADLK);
  EXPECT_EQ(closed, -EDEADLK);
  EXPECT_EQ(submitted, 0);
  EXPECT_EQ(fenced, 0);
  EXPECT_EQ(pvgpu_context_destroy(context), 0);
}

TEST_P(RendererTest, RefusesWhatCannotBe) {
  EXPECT_EQ(pvgpu_host_close(host_), -EBUSY);
  pvgpu_renderer* renderer = nullptr;
  pvgpu_renderer_callbacks callbacks = callbacks_;
  callbacks.fence = nullptr;
  EXPECT_EQ(pvgpu_renderer_create(host_, nullptr, &callbacks, &renderer), -EINVAL);
  EXPECT_EQ(pvgpu_renderer_create(nullptr, nullptr, &callbacks_, &renderer), -EINVAL);
  const pvgpu_renderer_options wrong{.size = sizeof wrong, .worker = "/bin/true"};
  EXPECT_EQ(pvgpu_renderer_create(host_, &wrong, &callbacks_, &renderer), -ENOENT);
  pvgpu_context_options options{.size = sizeof options, .capset_id = 1, .reserved = 0, .name = nullptr, .user = nullptr};
  pvgpu_context* context = nullptr;
  EXPECT_EQ(pvgpu_context_create(renderer_, &options, &context), -EINVAL) << "a capset that there is not";
  options.capset_id = PVGPU_CAPSET_VENUS;
  ASSERT_EQ(pvgpu_context_create(renderer_, &options, &context), 0);
  EXPECT_EQ(pvgpu_renderer_destroy(renderer_), -EBUSY);
  EXPECT_EQ(pvgpu_context_fence(context, PVGPU_RING_COUNT, 1), -EINVAL);
  EXPECT_EQ(pvgpu_context_submit(context, &options, PVGPU_SUBMIT_BYTES_MAX + 1), -E2BIG);
  EXPECT_EQ(pvgpu_context_submit(context, nullptr, 4), -EINVAL);
  pvgpu_blob* blob = nullptr;
  pvgpu_blob_request request{.size = sizeof request, .resource_id = 0, .flags = 0, .blob_id = 0, .bytes = 1};
  EXPECT_EQ(pvgpu_context_create_blob(context, &request, &blob), -EINVAL);
  request = {.size = sizeof request, .resource_id = 1, .flags = 8, .blob_id = 0, .bytes = 1};
  EXPECT_EQ(pvgpu_context_create_blob(context, &request, &blob), -EINVAL);
  request = {.size = sizeof request, .resource_id = 1, .flags = 0, .blob_id = 0, .bytes = 0};
  EXPECT_EQ(pvgpu_context_create_blob(context, &request, &blob), -EINVAL);
  EXPECT_EQ(pvgpu_context_destroy(context), 0);
  EXPECT_EQ(pvgpu_context_destroy(nullptr), 0);
  EXPECT_EQ(pvgpu_blob_destroy(nullptr), 0);
}

INSTANTIATE_TEST_SUITE_P(Contexts, RendererTest, ::testing::Values(nullptr, PVGPU_PROGRAM),
                         [](const auto& place) { return place.param ? "Processes" : "Threads"; });

TEST(Capset, IsThatOfVenus) {
  uint32_t words[PVGPU_CAPSET_VENUS_BYTES / 4] = {};
  EXPECT_EQ(pvgpu_get_capset(PVGPU_CAPSET_VENUS, 0, words, sizeof words), 0);
  EXPECT_EQ(words[0], 1u);
  EXPECT_EQ(pvgpu_get_capset(PVGPU_CAPSET_VENUS, 0, words, sizeof words - 1), -ENOSPC);
  EXPECT_EQ(pvgpu_get_capset(PVGPU_CAPSET_VENUS, 1, words, sizeof words), -ENOENT);
  EXPECT_EQ(pvgpu_get_capset(1, 0, words, sizeof words), -ENOENT);
  EXPECT_EQ(pvgpu_get_capset(PVGPU_CAPSET_VENUS, 0, nullptr, sizeof words), -EINVAL);
}

}  // namespace
}  // namespace pvgpu::library::testing
