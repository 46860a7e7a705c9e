#include "host/profile_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

namespace pvgpu::host {
namespace {

using Json = nlohmann::json;

// Raised whenever the fields below change, so that mixed builds notice.
constexpr int kFormat = 2;

std::string to_hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

// Reads the members of one JSON object; the first that is missing or of another kind is remembered.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  const Json* member(const char* name) {
    auto it = object_.is_object() ? object_.find(name) : object_.end();
    if (it == object_.end()) return miss(name);
    return &*it;
  }
  void read(const char* name, std::string& out) {
    if (const Json* value = member(name)) {
      if (value->is_string()) {
        out = value->get<std::string>();
      } else {
        miss(name);
      }
    }
  }
  void read(const char* name, bool& out) {
    if (const Json* value = member(name)) {
      if (value->is_boolean()) {
        out = value->get<bool>();
      } else {
        miss(name);
      }
    }
  }
  // Numbers and enumerations: all are unsigned and fit 64 bits.
  template <class Number>
    requires(std::is_arithmetic_v<Number> || std::is_enum_v<Number>)
  void read(const char* name, Number& out) {
    if (const Json* value = member(name)) {
      if (value->is_number_unsigned()) {
        out = static_cast<Number>(value->get<uint64_t>());
      } else {
        miss(name);
      }
    }
  }
  // For what recordings of earlier builds do not have; `out` stays as it is.
  void read_if_there(const char* name, bool& out) {
    if (object_.contains(name)) read(name, out);
  }
  void read(const char* name, std::array<uint8_t, VK_UUID_SIZE>& out) {
    std::string text;
    read(name, text);
    if (text.size() != 2 * out.size()) {
      miss(name);
      return;
    }
    for (size_t i = 0; i < out.size(); ++i) {
      const std::optional<uint8_t> high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
      if (!high || !low) {
        miss(name);
        return;
      }
      out[i] = static_cast<uint8_t>(*high << 4 | *low);
    }
  }
  const Json* array(const char* name, size_t most) {
    const Json* value = member(name);
    if (!value) return nullptr;
    return value->is_array() && value->size() <= most ? value : miss(name);
  }

  const Json* miss(const char* name) {
    if (bad_.empty()) bad_ = name;
    return nullptr;
  }
  void adopt(const Fields& inner) {
    if (bad_.empty()) bad_ = inner.bad_;
  }
  const std::string& bad() const { return bad_; }

 private:
  static std::optional<uint8_t> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
    return std::nullopt;
  }

  const Json& object_;
  std::string bad_;
};

Json memory_to_json(const DriverProfile& profile) {
  Json types = Json::array(), heaps = Json::array();
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    const VkMemoryType& type = profile.memory.memoryTypes[i];
    const MemoryTypePlan& plan = profile.memory_plan[i];
    types.push_back({{"flags", type.propertyFlags},
                     {"heap", type.heapIndex},
                     {"strategy", static_cast<uint32_t>(plan.strategy)},
                     {"hidden", plan.hidden},
                     {"verdict", plan.verdict}});
  }
  for (uint32_t i = 0; i < profile.memory.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = profile.memory.memoryHeaps[i];
    heaps.push_back({{"size", heap.size}, {"flags", heap.flags}});
  }
  return {{"types", types}, {"heaps", heaps}};
}

Json to_json(const DriverProfile& profile) {
  Json extensions = Json::array(), verdicts = Json::array();
  for (const VkExtensionProperties& extension : profile.driver_extensions) {
    extensions.push_back(
        {{"name", extension.extensionName}, {"spec_version", extension.specVersion}});
  }
  for (const FeatureVerdict& verdict : profile.verdicts) {
    verdicts.push_back({{"name", verdict.name},
                        {"treatment", static_cast<uint32_t>(verdict.treatment)},
                        {"reason", verdict.reason}});
  }
  const Emulation& emulation = profile.emulation;
  return {{"name", profile.identity.name},
          {"device_uuid", to_hex(profile.identity.device_uuid)},
          {"driver_uuid", to_hex(profile.identity.driver_uuid)},
          {"occurrence", profile.identity.occurrence},
          {"driver_name", profile.driver_name},
          {"driver_info", profile.driver_info},
          {"pci_address", profile.pci_address},
          {"driver_id", static_cast<uint32_t>(profile.driver_id)},
          {"device_type", static_cast<uint32_t>(profile.device_type)},
          {"vendor_id", profile.vendor_id},
          {"device_id", profile.device_id},
          {"api_version", profile.api_version},
          {"driver_version", profile.driver_version},
          {"extensions", extensions},
          {"memory", memory_to_json(profile)},
          {"import_alignment", profile.import_alignment},
          {"external_memory_host", profile.external_memory_host},
          {"all_types_host_visible", profile.all_types_host_visible},
          {"split_memory_types", profile.split_memory_types},
          {"buffer_handle_types", profile.buffer_handle_types},
          {"unlisted_linear_import", profile.unlisted_linear_import},
          {"harmless_linear_import", profile.harmless_linear_import},
          {"sync_fd_semaphore_features", profile.sync_fd_semaphore_features},
          {"sync_fd_fence_features", profile.sync_fd_fence_features},
          {"emulation",
           {{"sync_fd_semaphore", emulation.sync_fd_semaphore},
            {"sync_fd_fence", emulation.sync_fd_fence},
            {"dma_buf_memory", emulation.dma_buf_memory},
            {"linear_modifier", emulation.linear_modifier},
            {"queue_family_foreign", emulation.queue_family_foreign}}},
          {"verdicts", verdicts}};
}

void read_memory(Fields& fields, DriverProfile& profile) {
  const Json* memory = fields.member("memory");
  if (!memory) return;
  Fields inner(*memory);
  if (const Json* types = inner.array("types", VK_MAX_MEMORY_TYPES)) {
    profile.memory.memoryTypeCount = static_cast<uint32_t>(types->size());
    for (size_t i = 0; i < types->size(); ++i) {
      Fields type((*types)[i]);
      MemoryTypePlan& plan = profile.memory_plan[i];
      type.read("flags", profile.memory.memoryTypes[i].propertyFlags);
      type.read("heap", profile.memory.memoryTypes[i].heapIndex);
      type.read("strategy", plan.strategy);
      type.read("hidden", plan.hidden);
      type.read("verdict", plan.verdict);
      if (plan.strategy > MemoryStrategy::kOpaqueFd) type.miss("strategy");
      if (profile.memory.memoryTypes[i].heapIndex >= VK_MAX_MEMORY_HEAPS) type.miss("heap");
      inner.adopt(type);
    }
  }
  if (const Json* heaps = inner.array("heaps", VK_MAX_MEMORY_HEAPS)) {
    profile.memory.memoryHeapCount = static_cast<uint32_t>(heaps->size());
    for (size_t i = 0; i < heaps->size(); ++i) {
      Fields heap((*heaps)[i]);
      heap.read("size", profile.memory.memoryHeaps[i].size);
      heap.read("flags", profile.memory.memoryHeaps[i].flags);
      inner.adopt(heap);
    }
  }
  fields.adopt(inner);
}

void read_lists(Fields& fields, DriverProfile& profile) {
  if (const Json* extensions = fields.array("extensions", 4096)) {
    for (const Json& entry : *extensions) {
      Fields inner(entry);
      std::string name;
      VkExtensionProperties extension{};
      inner.read("name", name);
      inner.read("spec_version", extension.specVersion);
      if (name.size() >= sizeof extension.extensionName) {
        inner.miss("name");
      } else {
        std::memcpy(extension.extensionName, name.c_str(), name.size() + 1);
      }
      profile.driver_extensions.push_back(extension);
      fields.adopt(inner);
    }
  }
  if (const Json* verdicts = fields.array("verdicts", 8192)) {
    for (const Json& entry : *verdicts) {
      Fields inner(entry);
      FeatureVerdict verdict{};
      inner.read("name", verdict.name);
      inner.read("treatment", verdict.treatment);
      inner.read("reason", verdict.reason);
      if (verdict.treatment > Treatment::kAbsent) inner.miss("treatment");
      profile.verdicts.push_back(std::move(verdict));
      fields.adopt(inner);
    }
  }
}

void read_emulation(Fields& fields, Emulation& emulation) {
  const Json* member = fields.member("emulation");
  if (!member) return;
  Fields inner(*member);
  inner.read("sync_fd_semaphore", emulation.sync_fd_semaphore);
  inner.read("sync_fd_fence", emulation.sync_fd_fence);
  inner.read("dma_buf_memory", emulation.dma_buf_memory);
  inner.read("linear_modifier", emulation.linear_modifier);
  inner.read("queue_family_foreign", emulation.queue_family_foreign);
  fields.adopt(inner);
}

Result<DriverProfile> from_json(const Json& object) {
  Fields fields(object);
  DriverProfile profile;
  fields.read("name", profile.identity.name);
  fields.read("device_uuid", profile.identity.device_uuid);
  fields.read("driver_uuid", profile.identity.driver_uuid);
  fields.read("occurrence", profile.identity.occurrence);
  fields.read("driver_name", profile.driver_name);
  fields.read("driver_info", profile.driver_info);
  fields.read("pci_address", profile.pci_address);
  fields.read("driver_id", profile.driver_id);
  fields.read("device_type", profile.device_type);
  fields.read("vendor_id", profile.vendor_id);
  fields.read("device_id", profile.device_id);
  fields.read("api_version", profile.api_version);
  fields.read("driver_version", profile.driver_version);
  fields.read("import_alignment", profile.import_alignment);
  fields.read("external_memory_host", profile.external_memory_host);
  fields.read("all_types_host_visible", profile.all_types_host_visible);
  fields.read_if_there("split_memory_types", profile.split_memory_types);
  fields.read("buffer_handle_types", profile.buffer_handle_types);
  fields.read("unlisted_linear_import", profile.unlisted_linear_import);
  fields.read_if_there("harmless_linear_import", profile.harmless_linear_import);
  fields.read("sync_fd_semaphore_features", profile.sync_fd_semaphore_features);
  fields.read("sync_fd_fence_features", profile.sync_fd_fence_features);
  read_memory(fields, profile);
  read_lists(fields, profile);
  read_emulation(fields, profile.emulation);
  if (profile.import_alignment != 0 && !std::has_single_bit(profile.import_alignment)) {
    fields.miss("import_alignment");
  }
  if (!fields.bad().empty()) {
    return fail(fmt::format("the driver profile's \"{}\" is missing or wrong", fields.bad()),
                "the processes of one server must be of the same build");
  }
  return profile;
}

}  // namespace

std::string profiles_to_json(std::span<const DriverProfile> profiles) {
  Json devices = Json::array();
  for (const DriverProfile& profile : profiles) devices.push_back(to_json(profile));
  const Json document = {{"format", kFormat}, {"devices", devices}};
  // Driver names are the driver's bytes: what is no UTF-8 must not throw.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<DriverProfile>> profiles_from_json(std::string_view text) {
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  Fields fields(document);
  int format = 0;
  fields.read("format", format);
  if (format != kFormat) {
    return fail("the driver profile is not of this build's format",
                "the processes of one server must be of the same build");
  }
  std::vector<DriverProfile> profiles;
  if (const Json* devices = fields.array("devices", 256)) {
    for (const Json& device : *devices) {
      Result<DriverProfile> profile = from_json(device);
      if (!profile) return std::unexpected(profile.error());
      profiles.push_back(std::move(*profile));
    }
  }
  if (profiles.empty()) return fail("the driver profile names no device");
  return profiles;
}

}  // namespace pvgpu::host
