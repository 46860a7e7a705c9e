#include "structures.h"

#include <algorithm>
#include <map>
#include <span>
#include <sstream>
#include <string>

#include "describe/structures.h"
#include "profile.h"

namespace driver_profile {
namespace {

using pvgpu::describe::Fact;
using pvgpu::describe::Kind;
using pvgpu::describe::Reader;
using pvgpu::describe::Structure;

std::vector<std::string> names(const std::vector<Fact>& facts) {
  std::vector<std::string> found;
  for (const Fact& fact : facts) found.push_back(fact.member);
  return found;
}

const std::vector<std::string>& core_features() {
  static const std::vector<std::string> found = [] {
    std::vector<Fact> facts;
    Reader reader(facts, Kind::kFeature, "", "");
    pvgpu::describe::read_plain(reader, VkPhysicalDeviceFeatures{});
    return names(facts);
  }();
  return found;
}

// The members of each structure of features. All are VkBool32, one after the other behind the pNext.
const std::vector<std::string>& features_of(const Structure& structure) {
  static const auto found = [] {
    std::map<const Structure*, std::vector<std::string>> members;
    for (const Structure& each : pvgpu::describe::structures(Kind::kFeature)) {
      const std::vector<uint64_t> nothing(each.size / sizeof(uint64_t));
      std::vector<Fact> facts;
      Reader reader(facts, Kind::kFeature, "", "");
      each.read(reader, nothing.data());
      members[&each] = names(facts);
      const size_t size = sizeof(VkBaseOutStructure) + facts.size() * sizeof(VkBool32);
      if ((size + 7) / 8 * 8 != each.size) give_up(std::string(each.name) + " holds more than features");
    }
    return members;
  }();
  return found.at(&structure);
}

const Structure* structure_of(Kind kind, VkStructureType type) {
  const std::span all = pvgpu::describe::structures(kind);
  const auto found = std::ranges::find(all, type, &Structure::type);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

Detached::Detached(void* parent, const std::function<bool(const VkBaseOutStructure&)>& goes) {
  auto* last = static_cast<VkBaseOutStructure*>(parent);
  for (VkBaseOutStructure* link = last->pNext; link; link = link->pNext) {
    if (goes(*link)) continue;
    if (last->pNext != link) {
      links_.emplace_back(last, last->pNext);
      last->pNext = link;
    }
    last = link;
  }
  if (last->pNext) {
    links_.emplace_back(last, last->pNext);
    last->pNext = nullptr;
  }
}

Detached::~Detached() {
  for (const auto& [structure, next] : links_) structure->pNext = next;
}

bool is_known(Kind kind, VkStructureType type) {
  const Structure* structure = structure_of(kind, type);
  if (!structure) return false;
  if (structure->core != 0 && structure->core <= profile().api) return true;
  std::istringstream extensions(structure->extensions);
  for (std::string name; extensions >> name;)
    if (profile().shows_extension(name)) return true;
  return false;
}

void for_each_feature(VkPhysicalDeviceFeatures2& features, const FeatureAction& action) {
  const auto visit = [&](VkBool32* values, const std::vector<std::string>& members, VkStructureType type) {
    for (size_t i = 0; i < members.size(); i++) action(values[i], members[i], type);
  };
  visit(&features.features.robustBufferAccess, core_features(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  for (auto* link = static_cast<VkBaseOutStructure*>(features.pNext); link; link = link->pNext)
    if (const Structure* structure = structure_of(Kind::kFeature, link->sType))
      visit(reinterpret_cast<VkBool32*>(link + 1), features_of(*structure), link->sType);
}

}  // namespace driver_profile
