// What a physical device says about itself, one value at a time, and its form as text between the program that asks and
// the one that compares. Plain values; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace pvgpu::describe {

enum class Kind { kInstanceExtension, kExtension, kFeature, kProperty, kFormat, kQueueFamily, kMemory };
inline constexpr Kind kKinds[] = {Kind::kInstanceExtension, Kind::kExtension,   Kind::kFeature, Kind::kProperty,
                                  Kind::kFormat,            Kind::kQueueFamily, Kind::kMemory};
// "extension", "queue family", …
std::string_view kind_name(Kind kind);

struct Fact {
  Kind kind{};
  std::string subject;    // which of several: an extension, a format, the index of a queue family; else empty
  std::string structure;  // Vulkan's name; empty for extensions
  std::string member;     // with the way to it: "limits.maxImageDimension1D"; empty for extensions
  std::string value;      // of an extension: its version

  // "VK_FORMAT_R8_UNORM VkFormatProperties.linearTilingFeatures", without the kind.
  std::string name() const;
};

struct Device {
  std::vector<Fact> facts;

  // nullptr if the device does not say it.
  const Fact* find(Kind kind, std::string_view structure, std::string_view member) const;
  // The value, or "".
  std::string_view value(Kind kind, std::string_view structure, std::string_view member) const;
  std::string_view name() const { return value(Kind::kProperty, "VkPhysicalDeviceProperties", "deviceName"); }
};

struct Description {
  std::vector<Fact> instance;
  std::vector<Device> devices;
};

// Lines of text. The error of reading: what is wrong with the text, which may be another program's.
std::string to_text(const Description& description);
std::expected<Description, std::string> from_text(std::string_view text);

}  // namespace pvgpu::describe
