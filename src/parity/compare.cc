#include "parity/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>

#include "describe/structures.h"
#include "host/sparse.h"
#include "host/verdicts.h"
#include "parity/guest_driver.h"

namespace pvgpu::parity {
namespace {

using describe::Device;
using describe::Fact;
using describe::Kind;

constexpr Kind kDeviceKinds[] = {Kind::kExtension, Kind::kFeature,     Kind::kProperty,
                                 Kind::kFormat,    Kind::kQueueFamily, Kind::kMemory};
// Changes while it is looked at: only compared for being there.
constexpr std::string_view kVolatile = "VkPhysicalDeviceMemoryBudgetPropertiesEXT";
constexpr std::string_view kProperties = "VkPhysicalDeviceProperties";

uint32_t level_of(const Device& device) {
  const std::string text(device.value(Kind::kProperty, kProperties, "apiVersion"));
  char* end = nullptr;
  const auto major = static_cast<uint32_t>(std::strtoul(text.c_str(), &end, 10));
  return *end == '.' ? VK_MAKE_API_VERSION(0, major, static_cast<uint32_t>(std::strtoul(end + 1, nullptr, 10)), 0) : 0;
}

// One side's facts of one kind, to be found by name.
class Index {
 public:
  Index(std::span<const Fact> facts, Kind kind) {
    for (const Fact& fact : facts) {
      if (fact.kind != kind) continue;
      facts_.emplace(Key(fact.subject, fact.structure, fact.member), &fact);
      structures_.insert(fact.structure);
      subjects_.insert(fact.subject);
    }
  }
  const Fact* find(const Fact& like) const {
    auto it = facts_.find(Key(like.subject, like.structure, like.member));
    return it == facts_.end() ? nullptr : it->second;
  }
  bool has_structure(const std::string& name) const { return structures_.contains(name); }
  bool has_subject(const std::string& name) const { return subjects_.contains(name); }
  size_t size() const { return facts_.size(); }
  auto begin() const { return facts_.begin(); }
  auto end() const { return facts_.end(); }

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, const Fact*> facts_;
  std::set<std::string, std::less<>> structures_, subjects_;
};

class Comparison {
 public:
  explicit Comparison(const Sides& sides)
      : sides_(sides),
        native_extensions_(sides.native.facts, Kind::kExtension),
        offered_extensions_(sides.offer.facts, Kind::kExtension),
        guest_extensions_(sides.guest.facts, Kind::kExtension),
        native_level_(level_of(sides.native)),
        guest_level_(level_of(sides.guest)),
        mesa_(mesa_version(driver_info(sides.guest))) {}

  Table run() {
    describe_sides();
    compare_instance();
    for (Kind kind : kDeviceKinds) compare_kind(kind);
    list_what_the_driver_lacks();
    std::ranges::stable_sort(table_.differences, {}, [](const Difference& d) { return std::tie(d.kind, d.name); });
    return std::move(table_);
  }

 private:
  struct Why {
    Cause cause;
    std::string reason;
  };

  static std::string_view driver_info(const Device& device) {
    return device.value(Kind::kProperty, "VkPhysicalDeviceDriverProperties", "driverInfo");
  }
  static std::string driver(const Device& device) {
    return fmt::format("{} {}", device.value(Kind::kProperty, "VkPhysicalDeviceDriverProperties", "driverName"),
                       driver_info(device));
  }
  void describe_sides() {
    table_.native_name = sides_.native.name();
    table_.native_driver = driver(sides_.native);
    table_.native_level = sides_.native.value(Kind::kProperty, kProperties, "apiVersion");
    table_.guest_name = sides_.guest.name();
    table_.guest_driver = driver(sides_.guest);
    table_.guest_level = sides_.guest.value(Kind::kProperty, kProperties, "apiVersion");
    for (const auto& [key, fact] : native_extensions_)
      if (!describe::knows_extension(fact->subject)) table_.unread_extensions.push_back(fact->subject);
  }

  void add(Kind kind, char sign, std::string name, const Fact* native, const Fact* guest, Why why) {
    table_.differences.push_back({kind, sign, std::move(name), native ? native->value : "", guest ? guest->value : "",
                                  why.cause, std::move(why.reason)});
  }

  void compare_instance() {
    const Index native(sides_.native_instance, Kind::kInstanceExtension);
    const Index guest(sides_.guest_instance, Kind::kInstanceExtension);
    table_.counts.push_back({Kind::kInstanceExtension, native.size(), guest.size()});
    const Why why{Cause::kGuestAdds, std::string(guest_driver_reason(Kind::kInstanceExtension, "", mesa_))};
    for (const auto& [key, fact] : native)
      if (!guest.find(*fact)) add(fact->kind, '-', fact->name(), fact, nullptr, why);
    for (const auto& [key, fact] : guest)
      if (!native.find(*fact)) add(fact->kind, '+', fact->name(), nullptr, fact, why);
  }

  void list_what_the_driver_lacks() {
    std::set<std::string_view> seen;
    const auto shown = [](const Fact& fact) { return fact.kind == Kind::kFeature && fact.value != "0"; };
    for (const Fact& fact : sides_.native.facts)
      if (shown(fact)) seen.insert(fact.member);
    for (const Fact& fact : sides_.native.facts)
      if (fact.kind == Kind::kFeature && seen.insert(fact.member).second) table_.driver_lacks.push_back({Kind::kFeature, fact.member});
    for (const host::FeatureVerdict& verdict : sides_.profile.verdicts)
      if (verdict.treatment == host::Treatment::kAbsent) table_.driver_lacks.push_back({Kind::kExtension, verdict.name});
  }

  void compare_kind(Kind kind) {
    const Index native(sides_.native.facts, kind), offer(sides_.offer.facts, kind), guest(sides_.guest.facts, kind);
    table_.counts.push_back({kind, native.size(), guest.size()});
    reported_.clear();
    for (const auto& [key, fact] : native) {
      const Fact* other = guest.find(*fact);
      if (!other) {
        lacking(*fact, '-', offer, guest);
      } else if (other->value != fact->value && fact->structure != kVolatile) {
        add(kind, '~', fact->name(), fact, other, why_changed(*fact, *other, offer.find(*fact)));
      }
    }
    for (const auto& [key, fact] : guest)
      if (!native.find(*fact)) lacking(*fact, '+', offer, native);
  }

  // `fact` is there on one side; `other` is the side without it. A structure or a format that is not there at all is one
  // difference, whatever is in it.
  void lacking(const Fact& fact, char sign, const Index& offer, const Index& other) {
    const bool native = sign == '-';
    if (fact.kind == Kind::kExtension) {
      const Why why = native ? why_lacking(fact.subject) : why_added(fact.subject);
      return add(fact.kind, sign, fact.name(), native ? &fact : nullptr, native ? nullptr : &fact, why);
    }
    if (!other.has_structure(fact.structure)) {
      if (reported_.insert(fact.structure).second) add(fact.kind, sign, fact.structure, nullptr, nullptr, why_structure(fact, sign));
    } else if (!fact.subject.empty() && !other.has_subject(fact.subject)) {
      if (reported_.insert(fact.subject).second) add(fact.kind, sign, fact.subject, nullptr, nullptr, why_subject(fact, sign));
    } else {
      add(fact.kind, sign, fact.name(), native ? &fact : nullptr, native ? nullptr : &fact,
          native ? why_changed(fact, {}, offer.find(fact)) : why_changed({}, fact, offer.find(fact)));
    }
  }

  // -- why an extension is missing or extra --
  Why why_lacking(const std::string& extension) const {
    if (is_in(offered_extensions_, extension)) {
      return {Cause::kGuestDriver, std::string(guest_driver_reason(Kind::kExtension, extension, mesa_))};
    }
    if (const auto why = host::hidden_reason(extension); !why.empty()) return {Cause::kHidden, std::string(why)};
    const auto why = sides_.carried.why_not ? sides_.carried.why_not(extension) : "";
    if (!why.empty()) return {Cause::kProtocol, std::string(why)};
    return {Cause::kUnexplained, "pvgpu does not offer it"};
  }
  Why why_added(const std::string& extension) const {
    if (!is_in(offered_extensions_, extension)) return {Cause::kGuestAdds, "the guest's driver implements it"};
    const host::FeatureVerdict* verdict = sides_.profile.verdict(extension);
    if (verdict && verdict->treatment == host::Treatment::kEmulated) return {Cause::kEmulated, verdict->reason};
    return {Cause::kUnexplained, "pvgpu offers it although the driver lacks it"};
  }

  // -- why a whole structure, format or queue family is --
  Why why_structure(const Fact& fact, char sign) const {
    const describe::Structure* structure = describe::find_structure(fact.kind, fact.structure);
    return structure ? why_brought(structure->core, structure->extensions, sign) : Why{Cause::kUnexplained, ""};
  }
  Why why_subject(const Fact& fact, char sign) const {
    const auto formats = describe::formats();
    const auto format = std::ranges::find_if(formats, [&](const auto& f) { return f.name == fact.subject; });
    return format != formats.end() ? why_brought(format->core, format->extensions, sign) : Why{Cause::kUnexplained, ""};
  }
  // What the level `core` or any of `extensions` brings is on one side only: so is one of these.
  Why why_brought(uint32_t core, std::string_view extensions, char sign) const {
    const Index& has = sign == '-' ? native_extensions_ : guest_extensions_;
    const Index& lacks = sign == '-' ? guest_extensions_ : native_extensions_;
    while (!extensions.empty()) {
      const size_t end = std::min(extensions.find(' '), extensions.size());
      const std::string name(extensions.substr(0, end));
      extensions.remove_prefix(std::min(end + 1, extensions.size()));
      if (!is_in(has, name) || is_in(lacks, name)) continue;
      return {(sign == '-' ? why_lacking(name) : why_added(name)).cause, "it comes with " + name};
    }
    const uint32_t level = sign == '-' ? guest_level_ : native_level_;
    if (core != 0 && level < core) {
      return {sign == '-' ? Cause::kGuestDriver : Cause::kUnexplained,
              fmt::format("it comes with Vulkan {}.{}", VK_API_VERSION_MAJOR(core), VK_API_VERSION_MINOR(core))};
    }
    return {Cause::kUnexplained, ""};
  }

  // -- why a value is another --
  Why why_changed(const Fact& native, const Fact& guest, const Fact* offer) const {
    const Fact& either = native.structure.empty() && native.subject.empty() ? guest : native;
    if (offer && offer->value != native.value) return why_we_changed(either);
    if (!offer && either.kind != Kind::kExtension && !native.structure.empty()) {
      return {Cause::kProtocol, "the Venus protocol lacks the structure"};
    }
    const std::string reason(guest_driver_reason(either.kind, either.name(), mesa_));
    if (reason.empty()) return {Cause::kUnexplained, "pvgpu offers the driver's value; the guest's driver changes it"};
    return {Cause::kGuestDriver, reason};
  }
  Why why_we_changed(const Fact& fact) const {
    if (fact.structure == "VkPhysicalDeviceMemoryProperties") {
      if (const auto* verdict = sides_.profile.verdict(host::kMemoryForImages)) return {Cause::kEmulated, verdict->reason};
    }
    unsigned type = 0;
    char rest = 0;
    if (std::sscanf(fact.member.c_str(), "memoryTypes[%u].propertyFlags%c", &type, &rest) == 1) {
      if (const auto* verdict = sides_.profile.verdict(fmt::format("HOST_VISIBLE of memory type {}", type)))
        return {Cause::kHidden, verdict->reason};
    }
    if (const auto* verdict = sides_.profile.verdict(host::sparse::kName); verdict && is_about_sparse(fact))
      return {Cause::kHidden, verdict->reason};
    if (fact.structure.starts_with("VkDrmFormatModifier")) {
      const auto* verdict = sides_.profile.verdict(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
      if (verdict && verdict->treatment == host::Treatment::kEmulated) return {Cause::kEmulated, verdict->reason};
    }
    if (fact.kind == Kind::kExtension) return {Cause::kProtocol, "this build's registry knows an older version of it"};
    return {Cause::kUnexplained, "pvgpu changes it"};
  }

  // What host::sparse changes.
  static bool is_about_sparse(const Fact& fact) {
    const std::string_view member = fact.member;
    return member.starts_with("sparse") || member.starts_with("limits.sparse") ||
           (fact.kind == Kind::kQueueFamily && member.ends_with("queueFlags"));
  }

  static bool is_in(const Index& extensions, const std::string& name) { return extensions.has_subject(name); }

  const Sides& sides_;
  const Index native_extensions_, offered_extensions_, guest_extensions_;
  const uint32_t native_level_, guest_level_, mesa_;
  std::set<std::string> reported_;  // structures and subjects of the present kind that one side lacks
  Table table_;
};

}  // namespace

std::string_view cause_name(Cause cause) {
  switch (cause) {
    case Cause::kHidden:
      return "hidden by pvgpu";
    case Cause::kEmulated:
      return "emulated by pvgpu";
    case Cause::kProtocol:
      return "the protocol lacks it";
    case Cause::kGuestDriver:
      return "the guest's driver";
    case Cause::kGuestAdds:
      return "the guest's own";
    case Cause::kUnexplained:
      return "unexplained";
  }
  return "";
}

bool Table::explained() const {
  return std::ranges::none_of(differences, [](const Difference& d) { return d.cause == Cause::kUnexplained; });
}

Table compare(const Sides& sides) { return Comparison(sides).run(); }

}  // namespace pvgpu::parity
