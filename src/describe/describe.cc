#include "describe/describe.h"

#include <algorithm>
#include <deque>
#include <set>
#include <string>

#include "describe/structures.h"

namespace pvgpu::describe {
namespace {

// What decides which structures and formats there are.
struct Scope {
  uint32_t level = 0;
  std::set<std::string, std::less<>> extensions;

  bool has(uint32_t core, std::string_view any_of) const {
    if (core != 0 && level >= core) return true;
    while (!any_of.empty()) {
      const size_t end = std::min(any_of.find(' '), any_of.size());
      if (extensions.contains(any_of.substr(0, end))) return true;
      any_of.remove_prefix(std::min(end + 1, any_of.size()));
    }
    return false;
  }
};

// The structures that extend one answer, zeroed and linked.
class Chain {
 public:
  Chain(Kind kind, const Scope& scope, const Queries& queries) {
    for (const Structure& structure : structures(kind)) {
      if (!scope.has(structure.core, structure.extensions) || !queries.answers(structure.type)) continue;
      auto& words = storage_.emplace_back(structure.size / sizeof(uint64_t) + 1);
      auto* made = reinterpret_cast<VkBaseOutStructure*>(words.data());
      made->sType = structure.type;
      made->pNext = links_.empty() ? nullptr : links_.back().made;
      links_.push_back({&structure, made});
    }
  }
  void* head() { return links_.empty() ? nullptr : links_.back().made; }
  // After the first call: whether a second one is needed for arrays whose counts are known now.
  bool make_room() {
    for (const Link& link : links_) link.structure->make_room(room_, link.made);
    return room_.given();
  }
  void read(std::vector<Fact>& facts, Kind kind, const std::string& subject) const {
    for (const Link& link : links_) {
      Reader reader(facts, kind, subject, link.structure->name);
      link.structure->read(reader, link.made);
    }
  }

 private:
  struct Link {
    const Structure* structure;
    VkBaseOutStructure* made;
  };
  std::deque<std::vector<uint64_t>> storage_;
  std::vector<Link> links_;
  Room room_;
};

void describe_features(Queries& queries, const Scope& scope, std::vector<Fact>& facts) {
  Chain chain(Kind::kFeature, scope, queries);
  VkPhysicalDeviceFeatures2 features{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, chain.head()};
  queries.features(features);
  if (chain.make_room()) queries.features(features);
  Reader reader(facts, Kind::kFeature, "", "VkPhysicalDeviceFeatures");
  read_plain(reader, features.features);
  chain.read(facts, Kind::kFeature, "");
}

void describe_properties(Queries& queries, const Scope& scope, std::vector<Fact>& facts) {
  Chain chain(Kind::kProperty, scope, queries);
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, chain.head()};
  queries.properties(properties);
  if (chain.make_room()) queries.properties(properties);
  Reader reader(facts, Kind::kProperty, "", "VkPhysicalDeviceProperties");
  read_plain(reader, properties.properties);
  chain.read(facts, Kind::kProperty, "");
}

void describe_formats(Queries& queries, const Scope& scope, std::vector<Fact>& facts) {
  for (const Format& format : formats()) {
    if (format.extensions[0] && !scope.has(format.core, format.extensions)) continue;
    Chain chain(Kind::kFormat, scope, queries);
    VkFormatProperties2 properties{VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2, chain.head()};
    queries.format(format.format, properties);
    if (chain.make_room()) queries.format(format.format, properties);
    Reader reader(facts, Kind::kFormat, format.name, "VkFormatProperties");
    read_plain(reader, properties.formatProperties);
    chain.read(facts, Kind::kFormat, format.name);
  }
}

void describe_queue_families(Queries& queries, const Scope& scope, std::vector<Fact>& facts) {
  uint32_t count = 0;
  queries.queue_families(count, nullptr);
  std::deque<Chain> chains;
  std::vector<VkQueueFamilyProperties2> families;
  for (uint32_t i = 0; i < count; ++i) {
    chains.emplace_back(Kind::kQueueFamily, scope, queries);
    families.push_back({VK_STRUCTURE_TYPE_QUEUE_FAMILY_PROPERTIES_2, chains.back().head()});
  }
  queries.queue_families(count, families.data());
  const bool again = std::ranges::count_if(chains, [](Chain& chain) { return chain.make_room(); }) > 0;
  if (again) queries.queue_families(count, families.data());
  for (uint32_t i = 0; i < std::min<size_t>(count, families.size()); ++i) {
    Reader reader(facts, Kind::kQueueFamily, std::to_string(i), "VkQueueFamilyProperties");
    read_plain(reader, families[i].queueFamilyProperties);
    chains[i].read(facts, Kind::kQueueFamily, std::to_string(i));
  }
}

void describe_memory(Queries& queries, const Scope& scope, std::vector<Fact>& facts) {
  Chain chain(Kind::kMemory, scope, queries);
  VkPhysicalDeviceMemoryProperties2 memory{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, chain.head()};
  queries.memory(memory);
  Reader reader(facts, Kind::kMemory, "", "VkPhysicalDeviceMemoryProperties");
  read_plain(reader, memory.memoryProperties);
  chain.read(facts, Kind::kMemory, "");
}

}  // namespace

Device describe(Queries& queries, uint32_t most) {
  Device device;
  Scope scope;
  for (const VkExtensionProperties& extension : queries.extensions()) {
    device.facts.push_back(
        {Kind::kExtension, extension.extensionName, "", "", std::to_string(extension.specVersion)});
    scope.extensions.insert(extension.extensionName);
  }
  VkPhysicalDeviceProperties2 properties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2};
  queries.properties(properties);
  scope.level = std::min(properties.properties.apiVersion, most);
  describe_features(queries, scope, device.facts);
  describe_properties(queries, scope, device.facts);
  describe_formats(queries, scope, device.facts);
  describe_queue_families(queries, scope, device.facts);
  describe_memory(queries, scope, device.facts);
  return device;
}

}  // namespace pvgpu::describe
