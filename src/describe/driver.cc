#include "describe/driver.h"

#include <dlfcn.h>
#include <vulkan/vulkan_core.h>

#include <algorithm>

#include "describe/describe.h"

namespace pvgpu::describe {
namespace {

constexpr uint32_t kMost = VK_API_VERSION_1_4;
constexpr const char* kPortability = "VK_KHR_portability_enumeration";

// The instance, and the functions that take its devices.
struct Instance {
  PFN_vkGetInstanceProcAddr get = nullptr;
  VkInstance handle = VK_NULL_HANDLE;

  template <class Function>
  void load(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(get(handle, name));
  }
};

class DriverQueries : public Queries {
 public:
  DriverQueries(const Instance& instance, VkPhysicalDevice device) : device_(device) {
    instance.load(extensions_, "vkEnumerateDeviceExtensionProperties");
    instance.load(properties_, "vkGetPhysicalDeviceProperties2");
    instance.load(features_, "vkGetPhysicalDeviceFeatures2");
    instance.load(format_, "vkGetPhysicalDeviceFormatProperties2");
    instance.load(queue_families_, "vkGetPhysicalDeviceQueueFamilyProperties2");
    instance.load(memory_, "vkGetPhysicalDeviceMemoryProperties2");
  }
  std::vector<VkExtensionProperties> extensions() override {
    uint32_t count = 0;
    extensions_(device_, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> found(count);
    extensions_(device_, nullptr, &count, found.data());
    found.resize(std::min<size_t>(count, found.size()));
    return found;
  }
  void properties(VkPhysicalDeviceProperties2& properties) override { properties_(device_, &properties); }
  void features(VkPhysicalDeviceFeatures2& features) override { features_(device_, &features); }
  void format(VkFormat format, VkFormatProperties2& properties) override { format_(device_, format, &properties); }
  void queue_families(uint32_t& count, VkQueueFamilyProperties2* families) override {
    queue_families_(device_, &count, families);
  }
  void memory(VkPhysicalDeviceMemoryProperties2& memory) override { memory_(device_, &memory); }

 private:
  VkPhysicalDevice device_;
  PFN_vkEnumerateDeviceExtensionProperties extensions_;
  PFN_vkGetPhysicalDeviceProperties2 properties_;
  PFN_vkGetPhysicalDeviceFeatures2 features_;
  PFN_vkGetPhysicalDeviceFormatProperties2 format_;
  PFN_vkGetPhysicalDeviceQueueFamilyProperties2 queue_families_;
  PFN_vkGetPhysicalDeviceMemoryProperties2 memory_;
};

std::vector<VkExtensionProperties> instance_extensions(const Instance& global) {
  PFN_vkEnumerateInstanceExtensionProperties enumerate = nullptr;
  global.load(enumerate, "vkEnumerateInstanceExtensionProperties");
  uint32_t count = 0;
  if (!enumerate || enumerate(nullptr, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkExtensionProperties> found(count);
  enumerate(nullptr, &count, found.data());
  found.resize(std::min<size_t>(count, found.size()));
  return found;
}

Result<Instance> create_instance(const std::string& loader, std::vector<VkExtensionProperties>& extensions) {
  void* library = ::dlopen(loader.empty() ? "libvulkan.so.1" : loader.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return fail(std::string("no Vulkan loader: ") + ::dlerror(), "Debian, Ubuntu: libvulkan1");
  Instance instance;
  instance.get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(::dlsym(library, "vkGetInstanceProcAddr"));
  PFN_vkCreateInstance create = nullptr;
  if (instance.get) instance.load(create, "vkCreateInstance");
  if (!create) return fail("the Vulkan loader has no vkCreateInstance");
  extensions = instance_extensions(instance);

  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "pvgpu-describe";
  application.apiVersion = kMost;
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  // Without it some drivers (MoltenVK) stay invisible.
  if (std::ranges::any_of(extensions, [](const auto& e) { return std::string_view(e.extensionName) == kPortability; })) {
    info.flags = VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &kPortability;
  }
  if (const VkResult result = create(&info, nullptr, &instance.handle); result != VK_SUCCESS)
    return fail("vkCreateInstance failed: VkResult " + std::to_string(result));
  return instance;
}

}  // namespace

Result<Description> describe_driver(const std::string& loader) {
  std::vector<VkExtensionProperties> extensions;
  const Result<Instance> instance = create_instance(loader, extensions);
  if (!instance) return std::unexpected(instance.error());
  Description description;
  for (const VkExtensionProperties& extension : extensions)
    description.instance.push_back(
        {Kind::kInstanceExtension, extension.extensionName, "", "", std::to_string(extension.specVersion)});

  PFN_vkEnumeratePhysicalDevices enumerate = nullptr;
  PFN_vkGetPhysicalDeviceProperties get_properties = nullptr;
  PFN_vkDestroyInstance destroy = nullptr;
  instance->load(enumerate, "vkEnumeratePhysicalDevices");
  instance->load(get_properties, "vkGetPhysicalDeviceProperties");
  instance->load(destroy, "vkDestroyInstance");
  uint32_t count = 0;
  enumerate(instance->handle, &count, nullptr);
  std::vector<VkPhysicalDevice> handles(count);
  enumerate(instance->handle, &count, handles.data());
  handles.resize(std::min<size_t>(count, handles.size()));
  for (VkPhysicalDevice handle : handles) {
    VkPhysicalDeviceProperties properties{};
    get_properties(handle, &properties);
    if (properties.apiVersion < VK_API_VERSION_1_1) continue;
    DriverQueries queries(*instance, handle);
    description.devices.push_back(describe(queries, kMost));
  }
  destroy(instance->handle, nullptr);
  return description;
}

}  // namespace pvgpu::describe
