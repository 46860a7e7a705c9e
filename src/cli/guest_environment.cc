#include "cli/guest_environment.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace pvgpu::cli {
namespace {

// The comma-separated `list` with `word` in it.
std::string with_word(std::string_view list, std::string_view word) {
  for (std::string_view rest = list; !rest.empty();) {
    size_t end = std::min(rest.find(','), rest.size());
    if (rest.substr(0, end) == word) return std::string(list);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list.empty() ? std::string(word) : std::string(list) + ',' + std::string(word);
}

}  // namespace

std::vector<std::string> guest_environment(std::span<const std::string> current,
                                           const GuestSettings& settings) {
  std::map<std::string, std::string> variables;
  for (const std::string& entry : current) {
    size_t equals = entry.find('=');
    if (equals != std::string::npos) variables[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  variables["VN_DEBUG"] = with_word(variables["VN_DEBUG"], "vtest");
  variables["VTEST_SOCKET_NAME"] = settings.socket_path;
  if (settings.software_wsi) {
    variables["MESA_VK_WSI_DEBUG"] = with_word(variables["MESA_VK_WSI_DEBUG"], "sw");
  }
  variables.try_emplace("VN_PERF", kAskingGuest);
  std::string icds;
  for (const std::string& icd : settings.icds) icds += (icds.empty() ? "" : ":") + icd;
  variables["VK_DRIVER_FILES"] = icds;
  variables["VK_ICD_FILENAMES"] = icds;  // loaders before 1.3.207
  // These choose among the host's drivers, for the server, and would hide the guest's.
  variables.erase("VK_LOADER_DRIVERS_SELECT");
  variables.erase("VK_LOADER_DRIVERS_DISABLE");

  std::vector<std::string> out;
  for (const auto& [name, value] : variables) out.push_back(name + '=' + value);
  return out;
}

}  // namespace pvgpu::cli
