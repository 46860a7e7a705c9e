// vkCreateInstance, vkDestroyInstance and the enumeration of physical devices.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "observe/log.h"
#include "protocol/handlers.h"
#include "venus/call.h"
#include "venus/context_impl.h"
#include "venus/destroy_objects.h"
#include "venus/queue_timelines.h"

namespace pvgpu::venus {
namespace {

template <class Function>
Function global_function(ContextImpl& context, const char* name) {
  return reinterpret_cast<Function>(context.host().get_instance_proc_addr()(nullptr, name));
}

}  // namespace

void handle(Call& call, protocol::EnumerateInstanceVersionArgs& args) {
  const auto f = global_function<PFN_vkEnumerateInstanceVersion>(call.context(), "vkEnumerateInstanceVersion");
  *args.pApiVersion = VK_API_VERSION_1_0;
  args.ret = f ? f(args.pApiVersion) : VK_SUCCESS;
}

// Instance extensions and layers are the guest's own business: it has its loader and its window systems.
void handle(Call&, protocol::EnumerateInstanceExtensionPropertiesArgs& args) {
  *args.pPropertyCount = 0;
  args.ret = VK_SUCCESS;
}
void handle(Call&, protocol::EnumerateInstanceLayerPropertiesArgs& args) {
  *args.pPropertyCount = 0;
  args.ret = VK_SUCCESS;
}

void handle(Call& call, protocol::CreateInstanceArgs& args) {
  ContextImpl& context = call.context();
  const VkInstance id = *args.pInstance;
  if (!call.check_new_id(std::bit_cast<uint64_t>(id))) return;
  std::lock_guard lock(context.devices_mutex);
  if (context.instance) return call.poison(PoisonReason::kDuplicateObject, "a context has one instance");

  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  if (args.pCreateInfo->pApplicationInfo) application = *args.pCreateInfo->pApplicationInfo;
  application.pNext = nullptr;
  application.apiVersion = std::max<uint32_t>(application.apiVersion, VK_API_VERSION_1_1);
  const auto extensions = context.host().required_instance_extensions();
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  for (const char* name : extensions)
    if (std::string_view(name) == VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME)
      info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;

  auto instance = std::make_unique<Instance>();
  const auto create = global_function<PFN_vkCreateInstance>(context, "vkCreateInstance");
  args.ret = create(&info, nullptr, &instance->handle);
  if (args.ret == VK_SUCCESS) {
    instance->api_version = application.apiVersion;
    instance->vk.load(context.host().get_instance_proc_addr(), instance->handle);
  }
  const VkInstance handle = instance->handle;
  if (args.ret == VK_SUCCESS) context.instance = std::move(instance);
  *args.pInstance = call.created(id, args.ret, handle);
}

void handle(Call& call, protocol::DestroyInstanceArgs&) { call.context().destroy_instance(); }

void handle(Call& call, protocol::EnumeratePhysicalDevicesArgs& args) {
  ContextImpl& context = call.context();
  std::lock_guard lock(context.devices_mutex);
  Instance& instance = *context.instance;
  if (context.physical_devices.empty()) {
    uint32_t count = 0;
    args.ret = instance.vk.vkEnumeratePhysicalDevices(instance.handle, &count, nullptr);
    std::vector<VkPhysicalDevice> handles(count);
    if (args.ret == VK_SUCCESS) args.ret = instance.vk.vkEnumeratePhysicalDevices(instance.handle, &count, handles.data());
    if (args.ret < 0) return;
    handles.resize(count);
    const auto identities = host::identify(context.host().get_instance_proc_addr(), instance.handle, handles);
    // In the order of the host's list, which is the order that --gpu gave.
    for (const host::DriverProfile& profile : context.host().devices()) {
      const auto found = std::ranges::find(identities, profile.identity);
      if (found != identities.end())
        context.physical_devices.push_back({handles[static_cast<size_t>(found - identities.begin())], &profile, 0});
      else
        LOG_WARN("{} is gone; the guest will not see it", profile.identity.name);
    }
    if (context.physical_devices.empty()) LOG_WARN("no device of the host is left for the guest");
  }
  const auto available = static_cast<uint32_t>(context.physical_devices.size());
  args.ret = VK_SUCCESS;
  if (!args.pPhysicalDevices) {
    *args.pPhysicalDeviceCount = available;
    return;
  }
  if (*args.pPhysicalDeviceCount < available) args.ret = VK_INCOMPLETE;
  *args.pPhysicalDeviceCount = std::min(*args.pPhysicalDeviceCount, available);
  for (uint32_t i = 0; i < *args.pPhysicalDeviceCount; ++i) {
    PhysicalDevice& device = context.physical_devices[i];
    const auto id = std::bit_cast<uint64_t>(args.pPhysicalDevices[i]);
    if (id == device.id && id != 0) continue;
    if (device.id != 0)
      return call.poison(PoisonReason::kDuplicateObject, fmt::format("physical device {} is object {}", i, device.id));
    if (!call.check_new_id(id)) return;
    call.created(args.pPhysicalDevices[i], VK_SUCCESS, device.handle, &device);
    device.id = id;
  }
}

void handle(Call& call, protocol::EnumeratePhysicalDeviceGroupsArgs& args) {
  ContextImpl& context = call.context();
  std::lock_guard lock(context.devices_mutex);
  Instance& instance = *context.instance;
  uint32_t count = 0;
  args.ret = instance.vk.vkEnumeratePhysicalDeviceGroups(instance.handle, &count, nullptr);
  std::vector<VkPhysicalDeviceGroupProperties> groups(
      count, VkPhysicalDeviceGroupProperties{VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_GROUP_PROPERTIES});
  if (args.ret >= 0) args.ret = instance.vk.vkEnumeratePhysicalDeviceGroups(instance.handle, &count, groups.data());
  if (args.ret < 0) return;
  groups.resize(count);
  // Handles become ids; devices that the guest does not see leave their groups, and empty groups go.
  for (auto& group : groups) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < group.physicalDeviceCount; ++i)
      for (const PhysicalDevice& device : context.physical_devices)
        if (device.id && device.handle == group.physicalDevices[i])
          group.physicalDevices[kept++] = std::bit_cast<VkPhysicalDevice>(device.id);
    std::fill(group.physicalDevices + kept, std::end(group.physicalDevices), VkPhysicalDevice{});
    group.physicalDeviceCount = kept;
  }
  std::erase_if(groups, [](const auto& group) { return group.physicalDeviceCount == 0; });
  const auto available = static_cast<uint32_t>(groups.size());
  args.ret = VK_SUCCESS;
  if (!args.pPhysicalDeviceGroupProperties) {
    *args.pPhysicalDeviceGroupCount = available;
    return;
  }
  if (*args.pPhysicalDeviceGroupCount < available) args.ret = VK_INCOMPLETE;
  *args.pPhysicalDeviceGroupCount = std::min(*args.pPhysicalDeviceGroupCount, available);
  for (uint32_t i = 0; i < *args.pPhysicalDeviceGroupCount; ++i) {
    void* next = args.pPhysicalDeviceGroupProperties[i].pNext;
    args.pPhysicalDeviceGroupProperties[i] = groups[i];
    args.pPhysicalDeviceGroupProperties[i].pNext = next;
  }
}

void ContextImpl::destroy_device(Device& device) {
  if (device.handle == VK_NULL_HANDLE) return;
  timelines_->unbind_device(device);
  device.vk.vkDeviceWaitIdle(device.handle);
  // Children were made after their parents, so the newest go first. Pools take what they hold along.
  std::vector<Object*> left;
  objects_.for_each([&](Object& object) {
    if (object.device == &device) left.push_back(&object);
  });
  std::ranges::sort(left, std::greater{}, [](Object* object) { return object->id.load(std::memory_order_relaxed); });
  for (Object* object : left) destroy_object(device.vk, device.handle, *object);
  {
    std::lock_guard lock(memories_mutex);
    std::erase_if(memories, [&](const auto& entry) { return &entry.second->device == &device; });
  }
  for (Object* object : left) objects_.erase(object);
  device.vk.vkDestroyDevice(device.handle, nullptr);
  device.pool_allocators.clear();
  device.handle = VK_NULL_HANDLE;
}

void ContextImpl::destroy_instance() {
  std::lock_guard lock(devices_mutex);
  for (Device& device : devices) destroy_device(device);
  if (!instance) return;
  std::vector<Object*> left;
  objects_.for_each([&](Object& object) { left.push_back(&object); });
  for (Object* object : left) objects_.erase(object);
  physical_devices.clear();
  instance->vk.vkDestroyInstance(instance->handle, nullptr);
  instance.reset();
}

}  // namespace pvgpu::venus
