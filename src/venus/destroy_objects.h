// Destroys a driver object of any type: what is left when a guest goes, or destroys a device that still
// has children.
#pragma once

#include <vulkan/vulkan_core.h>

#include "protocol/dispatch.h"
#include "venus/object_table.h"

namespace pvgpu::venus {

// Types that go with their parent (queues, pooled objects) or are freed elsewhere (memory) are left alone.
void destroy_object(const protocol::DeviceDispatch& vk, VkDevice device, const Object& object);

}  // namespace pvgpu::venus
