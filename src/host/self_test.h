// The start-up self-test: finds out, for each memory type, which strategy gives memory that the
// driver and a guest both see, by writing through one view and reading through the other, by CPU
// and by GPU. Creates a VkDevice of its own and frees everything. A driver that fails a step costs
// that strategy, nothing else.
#pragma once

#include "host/probe_instance.h"
#include "host/profile.h"
#include "platform/error.h"

namespace pvgpu::host {

// Fills memory_plan, buffer_handle_types and all_types_host_visible of `profile`, whose identity,
// extensions, memory and import_alignment are known. An Error if no HOST_COHERENT type is left for
// guests.
Result<void> test_memory(const InstanceFunctions& functions, VkPhysicalDevice device,
                         DriverProfile& profile);

}  // namespace pvgpu::host
