// What a driver knows by a resource id: memory of the host, of the guest, or both, or a picture. Part of Control; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "venus/context.h"
#include "virtio_gpu/protocol.h"
#include "virtio_gpu/surface.h"

namespace pvgpu::virtio_gpu {

struct Resource {
  uint32_t id = 0;
  uint64_t size = 0;       // bytes
  uint32_t blob_mem = 0;   // 0: not a blob, but a 2D resource
  uint32_t blob_flags = 0;
  uint32_t creator = 0;           // the context whose memory it is; 0: none
  std::set<uint32_t> attached;    // contexts that know it
  std::vector<MemEntry> backing;  // the guest's pages

  // The host's memory. It is asked for when the resource is created and comes later; `waiting` runs then.
  bool awaits_memory = false;
  std::optional<venus::BlobMemory> memory;
  std::vector<std::function<void()>> waiting;

  // Where it appears in the window. `map_serial` tells one mapping from the next.
  std::optional<uint64_t> window_offset;
  uint64_t map_serial = 0;

  std::shared_ptr<Surface2d> picture;  // of a 2D resource
  // Of a blob: as a scanout shows it, or has shown it.
  std::shared_ptr<Surface> blob_picture;
  std::optional<BlobLayout> blob_layout;

  std::optional<std::array<uint8_t, 16>> uuid;

  // The memory has come, or never will.
  void settle() {
    awaits_memory = false;
    for (const auto& next : std::exchange(waiting, {})) next();
  }
  bool in_host() const { return blob_mem == kBlobMemHost3d || blob_mem == kBlobMemHost3dGuest; }
};

}  // namespace pvgpu::virtio_gpu
