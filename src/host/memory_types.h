// The memory types that a guest sees, and which of them a resource can be bound to. Pure functions of a profile; any thread.
//
// Drivers that make a Metal buffer of an imported pointer, and have textures in Metal heaps only, bind nothing but buffers and images
// of linear tiling to imported memory (KosmicKrisp). Where such a driver's memory types would all be imported, no other image would find
// memory. So the guest gets two types for each of the driver's: 2i, the driver's own memory, which the guest cannot map, and 2i+1, imported.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>

#include "host/profile.h"

namespace pvgpu::host {

// What the guest sees: the types of the profile, where hidden types are without HOST_VISIBLE, HOST_COHERENT and HOST_CACHED. Heaps are
// the driver's.
VkPhysicalDeviceMemoryProperties guest_memory_properties(const DriverProfile& profile);

// Makes two types of each. Every type of the profile must be imported, as the self-test found it.
void split_memory_types(DriverProfile& profile);
// The driver's type that the guest's type `type` is made of.
uint32_t driver_memory_type(const DriverProfile& profile, uint32_t type);
// The driver's memoryTypeBits as the guest is told them. `imported`: the resource can be bound to imported memory.
uint32_t guest_memory_types(const DriverProfile& profile, uint32_t driver_types, bool imported);

// Bit i: memory of type i may serve a resource that the guest wants to export (VkExternalMemory*CreateInfo
// with DMA_BUF). Where dma-bufs are emulated these are the types that the guest can be given, unless
// none of them is DEVICE_LOCAL: Mesa's window systems insist on that (Mesa 25.0 searches for ever), so all
// types stay, and what is exported from the others is a stand-in without the contents. For every other
// resource the driver's own memoryTypeBits stand.
uint32_t exportable_memory_types(const DriverProfile& profile);
// Whether what the guest exports is such a stand-in: dma-bufs are emulated, and no memory type that the
// guest can be given is DEVICE_LOCAL.
bool exports_stand_ins(const DriverProfile& profile);

}  // namespace pvgpu::host
