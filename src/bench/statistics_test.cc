#include "bench/statistics.h"

#include <gtest/gtest.h>

namespace pvgpu::bench {
namespace {

TEST(Percentile, IsTheNearestRank) {
  std::vector<double> values;
  for (int i = 1; i <= 1000; ++i) values.push_back(i);
  EXPECT_EQ(percentile(values, 0.5), 500);
  EXPECT_EQ(percentile(values, 0.99), 990);
  EXPECT_EQ(percentile(values, 0.999), 999);
  EXPECT_EQ(percentile(values, 0), 1);
  EXPECT_EQ(percentile(values, 1), 1000);
}

TEST(Percentile, OfFewValuesIsTheLargest) {
  const std::vector<double> values = {1, 2, 7};
  EXPECT_EQ(percentile(values, 0.999), 7);
  EXPECT_EQ(percentile(values, 0.5), 2);
}

TEST(Spread, HasTheMedianOfOddAndOfEvenCounts) {
  const Spread odd = spread({5, 1, 3});
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.median, 3);
  EXPECT_EQ(odd.max, 5);
  EXPECT_EQ(spread({4, 1, 2, 9}).median, 3);
}

TEST(RatioSpread, ComparesRoundByRound) {
  // The machine became four times slower in the second round; every ratio stays 2.
  const std::vector<double> ours = {2, 8, 2}, others = {1, 4, 1};
  const Spread ratio = ratio_spread(ours, others);
  EXPECT_EQ(ratio.min, 2);
  EXPECT_EQ(ratio.max, 2);
}

TEST(RatioSpread, TakesThePairsThatThereAre) {
  const std::vector<double> ours = {2, 3, 4}, others = {1, 0};
  EXPECT_EQ(ratio_spread(ours, others).max, 2);
  EXPECT_EQ(ratio_spread(ours, {}).median, 0);
}

TEST(Histogram, BucketsHoldTheirValues) {
  for (double value : {0.03, 1.0, 1.09, 2.0, 55.0, 123456.0}) {
    const int bucket = Histogram::bucket_of(value);
    EXPECT_LE(Histogram::lower_bound(bucket), value * (1 + 1e-9));
    EXPECT_GT(Histogram::lower_bound(bucket + 1), value);
  }
  EXPECT_EQ(Histogram::bucket_of(0), Histogram::bucket_of(-1));
}

TEST(Histogram, Merges) {
  Histogram one, two;
  one.add(1);
  one.add(8);
  two.add(8);
  one.add(two);
  EXPECT_EQ(one.total(), 3u);
  EXPECT_EQ(one.counts().at(Histogram::bucket_of(8)), 2u);
}

}  // namespace
}  // namespace pvgpu::bench
