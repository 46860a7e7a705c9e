// Every structure in which a physical device tells about itself, as the registry of this build knows them: what brings each,
// how to ask for it and how to turn the answer into facts. The tables are generated (codegen/capabilities.py). Stateless.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "describe/fact.h"

namespace pvgpu::describe {

// The sType of a structure; VK_STRUCTURE_TYPE_MAX_ENUM for what has none.
template <class T>
inline constexpr VkStructureType kTypeOf = VK_STRUCTURE_TYPE_MAX_ENUM;

// Turns members into facts. The generated `read` functions call it, one call for each member.
class Reader {
 public:
  Reader(std::vector<Fact>& facts, Kind kind, std::string subject, std::string structure)
      : facts_(facts), kind_(kind), subject_(std::move(subject)), structure_(std::move(structure)) {}

  template <class T>
  void value(std::string_view name, T value) {
    add(name, text_of(value));
  }
  void flags(std::string_view name, uint64_t value);
  void version(std::string_view name, uint32_t value);
  template <size_t N>
  void text(std::string_view name, const char (&value)[N]) {
    add(name, std::string(value, ::strnlen(value, N)));
  }
  template <size_t N>
  void bytes(std::string_view name, const uint8_t (&value)[N]) {
    add(name, hexadecimal(value));
  }
  template <class T>
  void structure(std::string_view name, const T& value) {
    const size_t before = path_.size();
    path_.append(name) += '.';
    read(*this, value);
    path_.resize(before);
  }
  // Scalars as one fact, structures as one for each member of each.
  template <class T>
  void list(std::string_view name, const T* values, size_t count) {
    if constexpr (std::is_class_v<T>) {
      for (size_t i = 0; i < count; ++i) structure(std::string(name) + '[' + std::to_string(i) + ']', values[i]);
    } else {
      std::string text;
      for (size_t i = 0; i < count; ++i) text += (i ? ", " : "") + text_of(values[i]);
      add(name, '[' + text + ']');
    }
  }
  template <class T>
  void array(std::string_view name, const T* values, size_t count) {
    list(name, values, values ? count : 0);
  }

 private:
  template <class T>
  static std::string text_of(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      return real(value);
    } else if constexpr (std::is_enum_v<T>) {
      return std::to_string(static_cast<int64_t>(value));
    } else {
      return std::to_string(value);
    }
  }
  static std::string real(double value);
  static std::string hexadecimal(std::span<const uint8_t> bytes);
  void add(std::string_view name, std::string value);

  std::vector<Fact>& facts_;
  Kind kind_;
  std::string subject_, structure_;
  std::string path_;  // to the structure within the structure that is being read
};

// Memory for the arrays of structures whose counts are known after the first of two calls.
class Room {
 public:
  template <class T>
  void give(T*& array, uint32_t count) {
    array = nullptr;
    if (count == 0) return;
    std::vector<std::byte>& block = blocks_.emplace_back(count * sizeof(T));
    array = reinterpret_cast<T*>(block.data());
    if constexpr (kTypeOf<T> != VK_STRUCTURE_TYPE_MAX_ENUM)
      for (uint32_t i = 0; i < count; ++i) array[i].sType = kTypeOf<T>;
  }
  bool given() const { return !blocks_.empty(); }

 private:
  std::list<std::vector<std::byte>> blocks_;
};

struct Structure {
  const char* name;
  VkStructureType type;
  size_t size;
  uint32_t core;           // the Vulkan level that brings it, or 0
  const char* extensions;  // separated by spaces: any of them brings it too
  void (*read)(Reader& reader, const void* structure);
  void (*make_room)(Room& room, void* structure);
};
struct Format {
  VkFormat format;
  const char* name;
  uint32_t core;  // of both 0 and no extensions: always there
  const char* extensions;
};

// Those that extend VkPhysicalDeviceFeatures2, …Properties2, VkFormatProperties2, VkQueueFamilyProperties2 and
// VkPhysicalDeviceMemoryProperties2, for their kinds; none for extensions.
std::span<const Structure> structures(Kind kind);
// nullptr: the registry of this build has none of this name.
const Structure* find_structure(Kind kind, std::string_view name);
std::span<const Format> formats();
// Whether the registry of this build has the extension, and so all structures that it brings.
bool knows_extension(std::string_view name);

// The structures that are older than chains.
void read_plain(Reader& reader, const VkPhysicalDeviceFeatures& features);
void read_plain(Reader& reader, const VkPhysicalDeviceProperties& properties);
void read_plain(Reader& reader, const VkFormatProperties& properties);
void read_plain(Reader& reader, const VkQueueFamilyProperties& properties);
void read_plain(Reader& reader, const VkPhysicalDeviceMemoryProperties& properties);

}  // namespace pvgpu::describe
