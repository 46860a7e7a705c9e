// What a Venus context of this process tells of the fake driver, against what the fake driver says.

#include "parity/venus_queries.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "describe/driver.h"
#include "fake_driver/fake_driver.h"
#include "venus/context.h"

namespace pvgpu::parity {
namespace {

using describe::Device;
using describe::Fact;
using describe::Kind;

TEST(VenusQueries, OfferWhatTheDriverHasButForWhatIsHidden) {
  auto host = host::Host::open({.loader_path = fake_driver::library_path(), .carried = venus::carried_extensions()});
  ASSERT_TRUE(host) << host.error().what;
  const auto offer = describe_offer(**host);
  ASSERT_TRUE(offer) << offer.error().what;
  const auto native = describe::describe_driver(fake_driver::library_path());
  ASSERT_TRUE(native) << native.error().what;
  ASSERT_EQ(offer->size(), 1u);
  ASSERT_EQ(native->devices.size(), 1u);

  size_t same = 0, other = 0;
  for (const Fact& fact : native->devices[0].facts) {
    if (fact.kind == Kind::kExtension) continue;
    const auto it = std::ranges::find_if((*offer)[0].facts, [&](const Fact& f) {
      return f.kind == fact.kind && f.name() == fact.name();
    });
    if (it == (*offer)[0].facts.end()) continue;
    ++(it->value == fact.value ? same : other);
  }
  EXPECT_GT(same, 1000u);
  EXPECT_EQ(other, 0u);
  EXPECT_EQ((*offer)[0].name(), "pvgpu fake device");

  const auto offers = [&](std::string_view name) {
    return std::ranges::any_of((*offer)[0].facts, [&](const Fact& f) { return f.kind == Kind::kExtension && f.subject == name; });
  };
  EXPECT_TRUE(offers("VK_EXT_multi_draw"));
  EXPECT_TRUE(offers("VK_EXT_image_drm_format_modifier")) << "emulated";
  EXPECT_FALSE(offers("VK_EXT_external_memory_host")) << "hidden";
  // What the driver lacks is neither offered nor left without a reason.
  EXPECT_FALSE(offers("VK_EXT_mesh_shader"));
  const host::FeatureVerdict* verdict = (*host)->devices()[0].verdict("VK_EXT_mesh_shader");
  ASSERT_NE(verdict, nullptr);
  EXPECT_EQ(verdict->treatment, host::Treatment::kAbsent);
  EXPECT_EQ(verdict->reason, "the driver lacks it");
}

}  // namespace
}  // namespace pvgpu::parity
