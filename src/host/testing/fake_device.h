// A Vulkan device in memory for the tests of the self-test: enough functions to allocate, map,
// import, export, fill and copy, with the faults of real drivers and a failure at any chosen call.
// One at a time, one thread.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <map>
#include <string>

#include "host/probe_instance.h"
#include "host/profile.h"
#include "platform/shared_memory.h"

namespace pvgpu::host::testing {

class FakeDevice {
 public:
  FakeDevice();
  ~FakeDevice();
  FakeDevice(const FakeDevice&) = delete;

  // What this driver is like.
  bool exports_dma_buf = false;
  bool exports_opaque_fd = false;
  size_t export_header = 0;  // the driver's own bytes at the start of an exported file
  bool imports_pointers = false;
  bool import_copies = false;        // imported memory is a copy: nothing is shared
  bool gpu_writes_are_lost = false;  // the GPU works on a cache that the CPU does not see
  bool gpu_hangs = false;
  bool fd_without_size = false;       // a device file, which tells no size
  bool external_loses_types = false;  // external buffers cannot live in memory type 1
  bool lists_linear_import = true;    // HOST_ALLOCATION for images of linear tiling
  bool lists_tiled_import = true;     // the same of optimal tiling
  uint32_t image_types = 0b11;        // memory types of images
  bool external_images_lose_types = false;  // such images cannot live in memory type 1
  int fail_at = 0;                    // this call, counted from 1, fails with OUT_OF_HOST_MEMORY

  // What was seen.
  int calls = 0;    // calls that may fail
  int live = 0;     // objects that exist
  int mapped = 0;   // memory that is mapped
  std::string bad;  // the first misuse: freed while mapped, unknown handle …

  InstanceFunctions functions() const;
  // A profile for it before the self-test: one type HOST_VISIBLE | HOST_COHERENT, one device-local.
  DriverProfile profile() const;

  struct Memory;
  struct Buffer;
  struct Table;  // the Vulkan functions

 private:
  friend struct Table;
  std::map<uint64_t, Memory> memories_;
  std::map<uint64_t, Buffer> buffers_;
  uint64_t next_ = 1;
  uint64_t bound_ = 0;  // buffer of the recorded commands
  uint32_t fill_ = 0;
  bool image_is_external_ = false;  // the last that was created
};

}  // namespace pvgpu::host::testing
