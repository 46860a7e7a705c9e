// What a driver that does not run here shows and refuses, read from text. The files that PVGPU_DRIVER_PROFILE names, with colons
// between them, are read in turn, and what a later one says of a thing holds. A line has a word and what it is about; '#' begins a comment:
//
//   device NAME, type integrated, driver ID VERSION NAME, driver_info TEXT, api MAJOR MINOR (the most that is shown)
//   extension NAME, without_extension NAME   device extensions: no other is shown, and these where the driver below has them
//   feature NAME...         features, of whatever structure: no other is shown
//   portability yes|no      a portability driver: VK_KHR_portability_subset, and hidden from who does not ask for such drivers
//   queues COUNT            the most of each family
//   memory_type FLAG...     in order, in one heap: DEVICE_LOCAL, HOST_VISIBLE, HOST_COHERENT, HOST_CACHED, LAZILY_ALLOCATED
//   private_depth_images yes  images for depth and stencil cannot be bound to memory that is HOST_VISIBLE
//   import_alignment BYTES  of pointers that are imported and of their memory's size
//   imported_images linear|all  which tilings can be bound to memory that was imported by pointer
//   one_map yes             memory is mapped once at a time
//
// Read once, by the first thread that asks; immutable afterwards.
#pragma once

#include <vulkan/vulkan_core.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace driver_profile {

struct Profile {
  std::string device, driver, driver_info;
  uint32_t driver_id = 0, driver_version = 0, queues = 0, api = VK_API_VERSION_1_4;
  VkDeviceSize import_alignment = 1;
  bool integrated = false, portability = false, private_depth_images = false, only_linear_imports = false, one_map = false;
  std::vector<VkMemoryPropertyFlags> memory_types;  // none: as below
  std::set<std::string, std::less<>> extensions, features;

  bool shows_extension(std::string_view name) const { return extensions.contains(name); }
  bool shows_feature(std::string_view name) const { return features.contains(name); }
};

// Ends the process, telling why, where the profile cannot be read.
const Profile& profile();

// The only handles that such drivers import memory by.
inline constexpr auto kHostHandles =
    VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT | VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_MAPPED_FOREIGN_MEMORY_BIT_EXT;

// Tells on standard error what was asked against the profile, for tests to find, and returns `result`.
VkResult refuse(VkResult result, const std::string& why);
// The same where a function cannot say no.
[[noreturn]] void give_up(const std::string& why);

}  // namespace driver_profile
