#include "profile.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace driver_profile {
namespace {

constexpr std::pair<std::string_view, VkMemoryPropertyFlags> kMemoryFlags[] = {
    {"DEVICE_LOCAL", VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT},   {"HOST_VISIBLE", VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT},
    {"HOST_COHERENT", VK_MEMORY_PROPERTY_HOST_COHERENT_BIT}, {"HOST_CACHED", VK_MEMORY_PROPERTY_HOST_CACHED_BIT},
    {"LAZILY_ALLOCATED", VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT},
};

// One line's words, each of which must be there and make sense.
class Line {
 public:
  Line(const std::string& text, std::string where) : where_(std::move(where)), words_(text) {}

  // False at the end.
  bool next(std::string& word) { return static_cast<bool>(words_ >> word) && word[0] != '#'; }
  std::string word() {
    std::string found;
    if (!next(found)) fail("something is missing");
    return found;
  }
  uint32_t number() {
    const std::string text = word();
    char* end = nullptr;
    const unsigned long value = std::strtoul(text.c_str(), &end, 10);
    if (*end != 0) fail("no number: " + text);
    return static_cast<uint32_t>(value);
  }
  bool is(std::string_view yes, std::string_view no) {
    const std::string text = word();
    if (text != yes && text != no) fail("neither " + std::string(yes) + " nor " + std::string(no) + ": " + text);
    return text == yes;
  }
  std::string rest() {
    std::string text;
    std::getline(words_ >> std::ws, text);
    if (text.empty()) fail("something is missing");
    return text;
  }
  [[noreturn]] void fail(const std::string& why) const { give_up(where_ + ": " + why); }

 private:
  std::string where_;
  std::istringstream words_;
};

void read_features(Line& line, Profile& profile) {
  for (std::string name; line.next(name);) profile.features.insert(name);
}

void read_memory_type(Line& line, Profile& profile) {
  VkMemoryPropertyFlags flags = 0;
  for (std::string name; line.next(name);) {
    const auto* found = std::ranges::find(kMemoryFlags, name, [](const auto& flag) { return flag.first; });
    if (found == std::end(kMemoryFlags)) line.fail("no property of memory: " + name);
    flags |= found->second;
  }
  profile.memory_types.push_back(flags);
}

void read_portability(Line& line, Profile& profile) {
  constexpr const char* kSubset = "VK_KHR_portability_subset";
  profile.portability = line.is("yes", "no");
  if (profile.portability) profile.extensions.insert(kSubset);
  else profile.extensions.erase(kSubset);
}

void read_line(Line& line, const std::string& word, Profile& profile) {
  if (word == "extension") profile.extensions.insert(line.word());
  else if (word == "without_extension") profile.extensions.erase(line.word());
  else if (word == "feature") read_features(line, profile);
  else if (word == "memory_type") read_memory_type(line, profile);
  else if (word == "device") profile.device = line.rest();
  else if (word == "type") profile.integrated = line.is("integrated", "as_below");
  else if (word == "driver") profile.driver_id = line.number(), profile.driver_version = line.number(), profile.driver = line.rest();
  else if (word == "driver_info") profile.driver_info = line.rest();
  else if (word == "api") {
    const uint32_t major = line.number();
    profile.api = VK_MAKE_API_VERSION(0, major, line.number(), 0);
  }
  else if (word == "portability") read_portability(line, profile);
  else if (word == "queues") profile.queues = line.number();
  else if (word == "private_depth_images") profile.private_depth_images = line.is("yes", "no");
  else if (word == "import_alignment") profile.import_alignment = line.number();
  else if (word == "imported_images") profile.only_linear_imports = line.is("linear", "all");
  else if (word == "one_map") profile.one_map = line.is("yes", "no");
  else line.fail("no such word: " + word);
}

void read_file(const std::string& path, Profile& profile) {
  std::ifstream file(path);
  if (!file) give_up("cannot read " + path);
  int number = 0;
  for (std::string text; std::getline(file, text);) {
    Line line(text, path + ':' + std::to_string(++number));
    std::string word;
    if (line.next(word)) read_line(line, word, profile);
  }
}

Profile read_profile() {
  const char* const paths = std::getenv("PVGPU_DRIVER_PROFILE");
  if (!paths) give_up("PVGPU_DRIVER_PROFILE is not set");
  Profile profile;
  std::istringstream list(paths);
  for (std::string path; std::getline(list, path, ':');) read_file(path, profile);
  return profile;
}

}  // namespace

const Profile& profile() {
  static const Profile read = read_profile();
  return read;
}

VkResult refuse(VkResult result, const std::string& why) {
  std::fprintf(stderr, "driver profile: %s\n", why.c_str());
  return result;
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "driver profile: %s\n", why.c_str());
  std::abort();
}

}  // namespace driver_profile
