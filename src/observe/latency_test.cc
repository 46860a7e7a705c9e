#include "observe/latency.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "platform/temporary_folder.h"

namespace pvgpu::observe {
namespace {

using std::chrono::nanoseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LatencyHistogram, BucketsAreInOrderAndNarrow) {
  for (uint32_t bucket = 0; bucket + 1 < LatencyHistogram::kBuckets; ++bucket) {
    const uint64_t from = LatencyHistogram::lower_bound(bucket), to = LatencyHistogram::lower_bound(bucket + 1);
    ASSERT_LT(from, to);
    ASSERT_LE(to - from, std::max<uint64_t>(1, from / 16)) << bucket;
    ASSERT_EQ(LatencyHistogram::bucket_of(from), bucket);
    ASSERT_EQ(LatencyHistogram::bucket_of(to - 1), bucket);
  }
  EXPECT_EQ(LatencyHistogram::bucket_of(~uint64_t{0}), LatencyHistogram::kBuckets - 1);
}

TEST(LatencyHistogram, TellsPercentiles) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), 0u);
  for (int i = 1; i <= 1000; ++i) histogram.add(nanoseconds(i));
  EXPECT_NEAR(static_cast<double>(histogram.percentile(0.5)), 500, 32);
  EXPECT_NEAR(static_cast<double>(histogram.percentile(0.99)), 990, 62);
  EXPECT_EQ(histogram.most(), 1000u);
  LatencyHistogram sum;
  sum.add(histogram);
  sum.add(histogram);
  EXPECT_EQ(sum.total(), 2000u);
  EXPECT_EQ(sum.percentile(0.5), histogram.percentile(0.5));
  sum.add(nanoseconds(-5));  // a clock that goes backwards is no reason to fail
  EXPECT_EQ(sum.percentile(0), 0u);
}

TEST(HopTimes, TellCommandsFromRunsOfRecordedOnes) {
  HopTimes times;
  times.looked();
  times.picked_up();
  times.told();  // recorded commands
  times.mark(Hop::kDecode);
  times.mark(Hop::kDriver);
  times.told();
  times.told();  // recorded ones again
  times.span_done();
  EXPECT_EQ(times.of(Hop::kPickUp).total(), 1u);
  EXPECT_EQ(times.of(Hop::kRecorded).total(), 2u);
  EXPECT_EQ(times.of(Hop::kReply).total(), 1u);
  EXPECT_EQ(times.of(Hop::kSpan).total(), 1u);
}

TEST(HopTimes, CountAPickUpFromTheNotificationOn) {
  HopTimes times;
  times.looked();
  const auto start = HopTimes::Clock::now();
  while (HopTimes::Clock::now() - start < std::chrono::milliseconds(20)) {
  }
  times.notified();
  times.picked_up();
  EXPECT_LT(times.of(Hop::kPickUp).most(), 20'000'000u);
}

TEST(LatencyReport, AppendsALineForEachGuest) {
  const auto folder = platform::TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const std::string path = folder->path() + "/latency";
  HopTimes times;
  times.picked_up();
  for (const char* guest : {"first", "second"}) {
    LatencyReport report(path, guest);
    report.add(times);
    report.add(times);
    EXPECT_THAT(report.as_text(), HasSubstr("pick-up             2"));
    EXPECT_THAT(report.as_text(), Not(HasSubstr("driver")));
  }
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_THAT(text.str(), ::testing::MatchesRegex(
      "\\{\"guest\": \"first\", \"hops\": \\{\"pick-up\": \\{\"count\": 2, .*\\}\\}\\}\n"
      "\\{\"guest\": \"second\", .*\\}\\}\\}\n"));
}

}  // namespace
}  // namespace pvgpu::observe
