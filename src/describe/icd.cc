#include "describe/icd.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace pvgpu::describe {
namespace {

constexpr std::string_view kSubfolder = "/vulkan/icd.d";

std::string value_or(const Environment& environment, const char* name, std::string fallback) {
  const char* value = environment(name);
  return value && value[0] ? value : fallback;
}

void add_list(std::vector<std::string>& folders, std::string_view list) {
  while (!list.empty()) {
    size_t end = std::min(list.find(':'), list.size());
    if (end > 0) folders.push_back(std::string(list.substr(0, end)) + std::string(kSubfolder));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool is_virtio_manifest(std::string_view name) {
  return name.starts_with("virtio_icd.") && name.ends_with(".json");
}

}  // namespace

std::vector<std::string> icd_folders(const Environment& environment) {
  std::vector<std::string> folders;
  std::string home = value_or(environment, "HOME", "");
  if (!home.empty()) {
    add_list(folders, value_or(environment, "XDG_CONFIG_HOME", home + "/.config"));
  }
  add_list(folders, value_or(environment, "XDG_CONFIG_DIRS", "/etc/xdg"));
  add_list(folders, "/etc");
  if (!home.empty()) {
    add_list(folders, value_or(environment, "XDG_DATA_HOME", home + "/.local/share"));
  }
  add_list(folders, value_or(environment, "XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
  return folders;
}

Result<std::vector<std::string>> find_virtio_icds(std::span<const std::string> folders) {
  for (const std::string& folder : folders) {
    std::vector<std::string> found;
    std::error_code error;
    for (auto it = std::filesystem::directory_iterator(folder, error);
         !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      if (is_virtio_manifest(it->path().filename().string())) found.push_back(it->path().string());
    }
    if (found.empty()) continue;
    std::ranges::sort(found);
    return found;
  }
  std::string looked_in;
  for (const std::string& folder : folders) looked_in += (looked_in.empty() ? "" : ", ") + folder;
  return fail("Mesa's Venus driver (virtio_icd.*.json) is not in " + looked_in,
              "install it (Debian: mesa-vulkan-drivers) or give its manifest with --icd PATH");
}

}  // namespace pvgpu::describe
