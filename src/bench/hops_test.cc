#include "bench/hops.h"

#include <gtest/gtest.h>

namespace pvgpu::bench {
namespace {

TEST(Hops, AreThoseOfTheGuestThatDidMost) {
  const auto hops = parse_hops(
      "{\"guest\": \"pid 1\", \"hops\": {\"pick-up\": {\"count\": 1, \"buckets\": [[5, 1]]}}}\n"
      "no JSON\n"
      "{\"guest\": \"pid 2\", \"hops\": {\"pick-up\": {\"count\": 3, \"p50_ns\": 1000, \"p99_ns\": 2000, \"p999_ns\": 3000, "
      "\"most_ns\": 4000, \"buckets\": [[1000, 2], [2000, 1]]}, \"driver\": {\"count\": 1, \"buckets\": [[7, 1]]}}}\n"
      "{\"guest\": \"pid 3\", \"hops\": {}}\n");
  ASSERT_EQ(hops.size(), 2u);
  EXPECT_EQ(hops[0].name, "pick-up");
  EXPECT_EQ(hops[0].count, 3u);
  EXPECT_EQ(hops[0].p50, 1);
  EXPECT_EQ(hops[0].most, 4);
  EXPECT_EQ(hops[0].distribution.total(), 3u);
  EXPECT_EQ(hops[0].distribution.counts().begin()->first, Histogram::bucket_of(1.0));
  EXPECT_EQ(hops[1].name, "driver");
  EXPECT_TRUE(parse_hops("").empty());
}

}  // namespace
}  // namespace pvgpu::bench
