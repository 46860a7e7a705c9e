#include "observe/recording.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "platform/temporary_folder.h"

namespace pvgpu::observe {
namespace {

using Kind = RecordedEvent::Kind;

class Recordings : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = platform::TemporaryFolder::create();
    ASSERT_TRUE(made) << made.error().what;
    folder_.emplace(std::move(*made));
    path_ = folder_->path() + "/recording";
  }
  std::unique_ptr<Recorder> start() {
    auto recorder = Recorder::create(path_);
    EXPECT_TRUE(recorder) << recorder.error().what;
    return std::move(*recorder);
  }
  Recording read() {
    auto recording = read_recording(path_);
    EXPECT_TRUE(recording) << recording.error().what;
    return recording ? std::move(*recording) : Recording{};
  }
  std::optional<platform::TemporaryFolder> folder_;
  std::string path_;
};

// Of every size, and not what a compressor would make nothing of.
std::vector<std::byte> bytes(size_t size, uint64_t seed) {
  std::vector<std::byte> made(size);
  for (std::byte& byte : made) byte = static_cast<std::byte>((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 56);
  return made;
}

TEST_F(Recordings, GiveBackWhatWasAdded) {
  auto recorder = start();
  for (uint64_t i = 0; i < 200; ++i) recorder->add(Kind::kRingCommands, {i, i + 1, i + 2}, bytes(i * 997, i));
  recorder.reset();
  const Recording recording = read();
  EXPECT_TRUE(recording.whole);
  ASSERT_EQ(recording.events.size(), 200u);
  for (uint64_t i = 0; i < 200; ++i) {
    const RecordedEvent& event = recording.events[i];
    EXPECT_EQ(event.kind, Kind::kRingCommands);
    EXPECT_EQ(event.words[0], i);
    EXPECT_EQ(event.words[2], i + 2);
    EXPECT_EQ(event.bytes, bytes(i * 997, i));
  }
}

TEST_F(Recordings, KeepWhatWasFlushedBeforeACrash) {
  auto recorder = start();
  recorder->add(Kind::kResource, {1, 2, 3});
  recorder->flush();
  recorder->add(Kind::kRingCommands, {1}, bytes(1000, 1));
  const Recording recording = read();  // as the file is while the recorder still writes
  EXPECT_FALSE(recording.whole);
  ASSERT_EQ(recording.events.size(), 1u);
  EXPECT_EQ(recording.events[0].words[2], 3u);
}

TEST_F(Recordings, TakeEventsOfManyThreads) {
  auto recorder = start();
  {
    std::vector<std::jthread> threads;
    for (uint64_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t i = 0; i < 500; ++i) recorder->add(Kind::kRingCommands, {t, i}, bytes(i, t));
      });
    }
  }
  recorder.reset();
  uint64_t next[4] = {};
  for (const RecordedEvent& event : read().events) {
    ASSERT_EQ(event.words[1], next[event.words[0]]++);
    ASSERT_EQ(event.bytes, bytes(event.words[1], event.words[0]));
  }
  EXPECT_EQ(next[0] + next[1] + next[2] + next[3], 2000u);
}

TEST_F(Recordings, RefuseOtherFiles) {
  EXPECT_FALSE(read_recording(path_));
  std::ofstream(path_) << "something else";
  EXPECT_FALSE(read_recording(path_));
  EXPECT_FALSE(Recorder::create(folder_->path() + "/no/such/folder"));
}

TEST_F(Recordings, OfLaterClientsHaveNamesOfTheirOwn) {
  EXPECT_EQ(recording_path("a", 1), "a");
  EXPECT_EQ(recording_path("a", 2), "a.2");
}

}  // namespace
}  // namespace pvgpu::observe
