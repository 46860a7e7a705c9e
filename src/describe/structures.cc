#define VK_ENABLE_BETA_EXTENSIONS  // drivers offer them, so they are compared too
#include "describe/structures.h"

#include <vulkan/vulkan.h>

#include "protocol/types.h"

#include <algorithm>
#include <cstdio>

namespace pvgpu::describe {

template <class T>
consteval Structure structure(const char* name, uint32_t core, const char* extensions) {
  return {name,
          kTypeOf<T>,
          sizeof(T),
          core,
          extensions,
          [](Reader& reader, const void* s) { read(reader, *static_cast<const T*>(s)); },
          [](Room& room, void* s) { make_room(room, *static_cast<T*>(s)); }};
}

#include "protocol/capabilities.inc"

void Reader::flags(std::string_view name, uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  add(name, text);
}

void Reader::version(std::string_view name, uint32_t value) {
  add(name, std::to_string(VK_API_VERSION_MAJOR(value)) + '.' + std::to_string(VK_API_VERSION_MINOR(value)) + '.' +
                std::to_string(VK_API_VERSION_PATCH(value)));
}

std::string Reader::real(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string Reader::hexadecimal(std::span<const uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : bytes)
    for (int digit : {byte >> 4, byte & 15}) text += "0123456789abcdef"[digit];
  return text;
}

void Reader::add(std::string_view name, std::string value) {
  facts_.push_back({kind_, subject_, structure_, path_ + std::string(name), std::move(value)});
}

std::span<const Structure> structures(Kind kind) {
  switch (kind) {
    case Kind::kFeature:
      return kFeaturesStructures;
    case Kind::kProperty:
      return kPropertiesStructures;
    case Kind::kFormat:
      return kFormatStructures;
    case Kind::kQueueFamily:
      return kQueueFamilyStructures;
    case Kind::kMemory:
      return kMemoryStructures;
    default:
      return {};
  }
}

const Structure* find_structure(Kind kind, std::string_view name) {
  const auto all = structures(kind);
  const auto found = std::ranges::find_if(all, [&](const Structure& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::span<const Format> formats() { return kFormats; }

bool knows_extension(std::string_view name) { return std::ranges::binary_search(kExtensions, name); }

void read_plain(Reader& reader, const VkPhysicalDeviceFeatures& features) { read(reader, features); }
void read_plain(Reader& reader, const VkPhysicalDeviceProperties& properties) { read(reader, properties); }
void read_plain(Reader& reader, const VkFormatProperties& properties) { read(reader, properties); }
void read_plain(Reader& reader, const VkQueueFamilyProperties& properties) { read(reader, properties); }
void read_plain(Reader& reader, const VkPhysicalDeviceMemoryProperties& properties) { read(reader, properties); }

}  // namespace pvgpu::describe
