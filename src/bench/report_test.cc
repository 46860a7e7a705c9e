#include "bench/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bench/charts.h"

namespace pvgpu::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Figure kLatency[] = {{"p50", "half of the calls are faster"}};
constexpr Figure kRate[] = {{"rate", "calls in a second"}};
constexpr Work kWork{"work", "A work", "What is done.", {"µs", Better::kLower}, kLatency, true};
constexpr Work kFastWork{
    "fast", "Another", "The same, counted.", {"calls/s", Better::kHigher}, kRate};

// Three rounds of the same work, timed and counted; ours takes half the peer's time and ten times
// the native one.
Report example() {
  Report report;
  report.about = {{"GPU", "A <b>GPU</b> & more"}};
  report.sides = {
      {.name = "native"}, {.name = "pvgpu"}, {.name = "peer", .note = "without \"feedback\""}};
  WorkResult timed{&kWork, std::vector<SideResult>(3)};
  WorkResult counted{&kFastWork, std::vector<SideResult>(3)};
  for (double slowness : {1.0, 2.0, 1.5}) {
    const double times[] = {1, 10, 20};
    for (size_t i = 0; i < 3; ++i) {
      Outcome time, rate;
      time.figures = {{"p50", times[i] * slowness}};
      time.distribution.add(times[i] * slowness);
      timed.sides[i].add(time);
      rate.figures = {{"rate", 1e6 / (times[i] * slowness)}};
      counted.sides[i].add(rate);
    }
  }
  report.works = {timed, counted};
  return report;
}

TEST(Works, HaveUniqueNamesAndWords) {
  std::set<std::string_view> names;
  for (const Work& work : all_works()) {
    EXPECT_TRUE(names.insert(work.name).second) << work.name;
    EXPECT_FALSE(work.title.empty() || work.what.empty() || work.figures.empty()) << work.name;
    EXPECT_FALSE(work.unit.name.empty()) << work.name;
    std::set<std::string_view> figures;
    for (const Figure& figure : work.figures) {
      EXPECT_TRUE(figures.insert(figure.name).second) << work.name << ' ' << figure.name;
      EXPECT_FALSE(figure.what.empty()) << figure.name;
    }
  }
}

TEST(Works, AreSelectedByNameInTheirOwnOrder) {
  std::string unknown;
  EXPECT_EQ(select_works({}, unknown).size(), all_works().size());
  const std::string names[] = {"present", "start-up"};
  const auto selected = select_works(names, unknown);
  ASSERT_EQ(selected.size(), 2u);
  EXPECT_EQ(selected[0]->name, "start-up");
  EXPECT_EQ(unknown, "");
  const std::string wrong[] = {"start-up", "startup"};
  EXPECT_TRUE(select_works(wrong, unknown).empty());
  EXPECT_EQ(unknown, "startup");
}

TEST(Compare, TellsRatiosAndSpeedsInTheUnitsDirection) {
  const Report report = example();
  const auto latency = compare(report, report.works[0], kLatency[0]);
  ASSERT_EQ(latency.size(), 2u);
  EXPECT_EQ(latency[0].other, 0u);
  EXPECT_DOUBLE_EQ(latency[0].ratio.median, 10);
  EXPECT_DOUBLE_EQ(latency[0].speed.median, 0.1);
  EXPECT_DOUBLE_EQ(latency[1].ratio.max, 0.5);
  EXPECT_DOUBLE_EQ(latency[1].speed.max, 2);
  const auto rate = compare(report, report.works[1], kRate[0]);
  EXPECT_DOUBLE_EQ(rate[1].ratio.median, 2);
  EXPECT_DOUBLE_EQ(rate[1].speed.median, 2);
}

TEST(Compare, LeavesOutWhatWasNotMeasured) {
  Report report = example();
  report.works[0].sides[2].figures.clear();
  EXPECT_EQ(compare(report, report.works[0], kLatency[0]).size(), 1u);
  report.works[0].sides[1].figures.clear();
  EXPECT_TRUE(compare(report, report.works[0], kLatency[0]).empty());
}

TEST(Quantity, HasThreeDigits) {
  EXPECT_EQ(quantity(0), "0");
  EXPECT_EQ(quantity(0.0532), "0.053");
  EXPECT_EQ(quantity(1), "1.00");
  EXPECT_EQ(quantity(9.996), "10.0");
  EXPECT_EQ(quantity(12.34), "12.3");
  EXPECT_EQ(quantity(123.4), "123");
  EXPECT_EQ(quantity(1234), "1234");
  EXPECT_EQ(quantity(12345), "12.3 k");
  EXPECT_EQ(quantity(999'700), "1.00 M");
  EXPECT_EQ(quantity(9.41e6), "9.41 M");
}

TEST(Text, ShowsMediansRatiosAndFailures) {
  Report report = example();
  const std::string text = to_text(report);
  EXPECT_THAT(text, HasSubstr("A work (work)\n  What is done.\n"));
  EXPECT_THAT(text,
              testing::ContainsRegex("p50 +µs ↓ +1\\.50 +15\\.0 +30\\.0 +10\\.0× +0\\.500×\n"));
  EXPECT_THAT(text, testing::ContainsRegex("rate +calls/s ↑ "));
  report.works[0].sides[1].figures["p50"][0] = 12;
  EXPECT_THAT(to_text(report), HasSubstr("10.0× (10.0–12.0)"));
  EXPECT_THAT(text, HasSubstr("without \"feedback\""));
  EXPECT_THAT(text, Not(HasSubstr("failed")));
  report.works[0].sides[2] = {};
  report.works[0].sides[2].failure = "vkMapMemory: VK_ERROR_UNKNOWN";
  EXPECT_THAT(to_text(report),
              testing::ContainsRegex("p50 +µs ↓ +1\\.50 +15\\.0 +– +10\\.0× .*–\n"));
  EXPECT_THAT(to_text(report), HasSubstr("peer failed: vkMapMemory: VK_ERROR_UNKNOWN\n"));
}

TEST(Json, HoldsEveryRoundAndTheRatios) {
  const auto json = nlohmann::json::parse(to_json(example()));
  const auto& figure = json["works"][0]["figures"][0];
  EXPECT_EQ(figure["rounds"]["pvgpu"], nlohmann::json({10.0, 20.0, 15.0}));
  EXPECT_DOUBLE_EQ(figure["ratios"]["to_peer"]["median"].get<double>(), 0.5);
  EXPECT_EQ(figure["better"], "lower");
  EXPECT_EQ(json["works"][0]["distributions"]["native"].size(), 3u);
  EXPECT_EQ(json["sides"][2]["note"], "without \"feedback\"");
}

TEST(Html, IsOnePageThatLoadsNothing) {
  const std::string html = to_html(example());
  for (const char* wanted : {"<!doctype html>", "prefers-color-scheme: dark", "<svg",
                             "A &lt;b&gt;GPU&lt;/b&gt; &amp; more", "without &quot;feedback&quot;",
                             "<polyline", "<circle", "</html>"}) {
    EXPECT_THAT(html, HasSubstr(wanted));
  }
  for (const char* unwanted : {"http:", "https:", "<script", "<link", "<b>GPU", "nan", "inf"}) {
    EXPECT_THAT(html, Not(HasSubstr(unwanted)));
  }
}

TEST(Hops, AreInAllThreeForms) {
  Report report = example();
  EXPECT_THAT(to_text(report), Not(HasSubstr("within our host")));
  EXPECT_THAT(to_html(report), Not(HasSubstr("stroke hop-0")));
  Hop hop{.name = "pick-up", .count = 7, .p50 = 1.25, .p99 = 2, .p999 = 3, .most = 4};
  hop.distribution.add(1.25);
  report.works[0].hops = {hop};
  EXPECT_THAT(to_text(report), HasSubstr("pick-up"));
  EXPECT_THAT(to_html(report), HasSubstr("class=\"stroke hop-0\"><title>pick-up"));
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["works"][0]["hops"]["pick-up"]["p50"], 1.25);
  EXPECT_EQ(json["works"][0]["hops"]["pick-up"]["buckets"][0][1], 1);
}

TEST(Html, SurvivesARunThatMeasuredNothing) {
  Report report = example();
  for (SideResult& side : report.works[0].sides) side = {.failure = "<none>"};
  const std::string html = to_html(report);
  EXPECT_THAT(html, HasSubstr("peer failed: &lt;none&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST(SpeedChart, MarksWhatLiesOutside) {
  Report report = example();
  EXPECT_THAT(speed_chart(report), Not(HasSubstr("hollow")));
  EXPECT_THAT(speed_chart(report), HasSubstr("<title>2.00× as fast as peer (2.00–2.00)</title>"));
  report.works[0].sides[0].figures["p50"] = {1e-6, 1e-6, 1e-6};
  EXPECT_THAT(speed_chart(report), HasSubstr("class=\"hollow side-0\""));
}

TEST(BarChart, IsAsLongAsTheValue) {
  const Report report = example();
  const std::string chart = bar_chart(report, report.works[0]);
  // Native (1.5 of the peer's greatest, 40) and the peer (30 of 40) are 20 times apart.
  EXPECT_THAT(chart, HasSubstr("width=\"19.5\""));
  EXPECT_THAT(chart, HasSubstr("width=\"390.0\""));
}

}  // namespace
}  // namespace pvgpu::bench
