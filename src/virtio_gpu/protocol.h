// What travels in a virtio-gpu device's queues and lies in its config space, as the virtio 1.3 specification
// has it (section 5.7), and blob alignment of 1.4. Everything is little-endian, as are the hosts that this is built for; structures are
// copied between guest memory and these, never used in place.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace pvgpu::virtio_gpu {

static_assert(std::endian::native == std::endian::little, "structures are copied, not converted");

inline constexpr uint16_t kControlQueue = 0;
inline constexpr uint16_t kCursorQueue = 1;
inline constexpr uint16_t kQueueCount = 2;
// The shared-memory region in which mapped blobs appear.
inline constexpr uint8_t kWindowId = 1;
inline constexpr uint32_t kMaxScanouts = 16;

enum Feature : uint64_t {
  kFeatureVirgl = 1ull << 0,  // contexts and SUBMIT_3D
  kFeatureEdid = 1ull << 1,
  kFeatureResourceUuid = 1ull << 2,
  kFeatureResourceBlob = 1ull << 3,
  kFeatureContextInit = 1ull << 4,
  kFeatureBlobAlignment = 1ull << 5,         // Config::blob_alignment is valid
  kFeatureIndirectDescriptors = 1ull << 28,  // VIRTIO_F_INDIRECT_DESC
  kFeatureEventIndex = 1ull << 29,           // VIRTIO_RING_F_EVENT_IDX
  kFeatureVersion1 = 1ull << 32,             // VIRTIO_F_VERSION_1
  kFeatureRingPacked = 1ull << 34,           // VIRTIO_F_RING_PACKED
};

enum class Command : uint32_t {
  kGetDisplayInfo = 0x0100,
  kResourceCreate2d = 0x0101,
  kResourceUnref = 0x0102,
  kSetScanout = 0x0103,
  kResourceFlush = 0x0104,
  kTransferToHost2d = 0x0105,
  kResourceAttachBacking = 0x0106,
  kResourceDetachBacking = 0x0107,
  kGetCapsetInfo = 0x0108,
  kGetCapset = 0x0109,
  kGetEdid = 0x010a,
  kResourceAssignUuid = 0x010b,
  kResourceCreateBlob = 0x010c,
  kSetScanoutBlob = 0x010d,
  kCtxCreate = 0x0200,
  kCtxDestroy = 0x0201,
  kCtxAttachResource = 0x0202,
  kCtxDetachResource = 0x0203,
  kResourceCreate3d = 0x0204,
  kTransferToHost3d = 0x0205,
  kTransferFromHost3d = 0x0206,
  kSubmit3d = 0x0207,
  kResourceMapBlob = 0x0208,
  kResourceUnmapBlob = 0x0209,
  kUpdateCursor = 0x0300,
  kMoveCursor = 0x0301,
};

enum class Response : uint32_t {
  kOkNoData = 0x1100,
  kOkDisplayInfo = 0x1101,
  kOkCapsetInfo = 0x1102,
  kOkCapset = 0x1103,
  kOkEdid = 0x1104,
  kOkResourceUuid = 0x1105,
  kOkMapInfo = 0x1106,
  kErrUnspec = 0x1200,
  kErrOutOfMemory = 0x1201,
  kErrInvalidScanoutId = 0x1202,
  kErrInvalidResourceId = 0x1203,
  kErrInvalidContextId = 0x1204,
  kErrInvalidParameter = 0x1205,
};

struct Config {
  uint32_t events_read, events_clear, num_scanouts, num_capsets;
  uint32_t blob_alignment;  // bytes, of the sizes of blobs and of their places in the window; 0 without kFeatureBlobAlignment
};
static_assert(sizeof(Config) == 20 && offsetof(Config, blob_alignment) == 16);

inline constexpr uint32_t kFlagFence = 1;
inline constexpr uint32_t kFlagRingIdx = 2;  // ring_idx is valid

// Begins every request and every response.
struct Header {
  uint32_t type, flags;
  uint64_t fence_id;
  uint32_t ctx_id;
  uint8_t ring_idx, padding[3];
};
static_assert(sizeof(Header) == 24 && offsetof(Header, fence_id) == 8 && offsetof(Header, ring_idx) == 20);

struct Rect {
  uint32_t x, y, width, height;
  bool operator==(const Rect&) const = default;
};

// What follows the header of a request. Names are the specification's.
struct ResourceCreate2d {
  uint32_t resource_id, format, width, height;
};
struct ResourceId {  // RESOURCE_UNREF, DETACH_BACKING, ASSIGN_UUID, CTX_*_RESOURCE, UNMAP_BLOB
  uint32_t resource_id, padding;
};
struct SetScanout {
  Rect r;
  uint32_t scanout_id, resource_id;
};
struct SetScanoutBlob {
  Rect r;
  uint32_t scanout_id, resource_id, width, height, format, padding, strides[4], offsets[4];
};
static_assert(sizeof(SetScanoutBlob) == 72);
struct ResourceFlush {
  Rect r;
  uint32_t resource_id, padding;
};
struct TransferToHost2d {
  Rect r;
  uint64_t offset;
  uint32_t resource_id, padding;
};
static_assert(sizeof(TransferToHost2d) == 32);
struct ResourceAttachBacking {  // nr_entries of MemEntry follow
  uint32_t resource_id, nr_entries;
};
struct MemEntry {
  uint64_t addr;
  uint32_t length, padding;
};
static_assert(sizeof(MemEntry) == 16);
struct GetCapsetInfo {
  uint32_t capset_index, padding;
};
struct GetCapset {
  uint32_t capset_id, capset_version;
};
struct GetEdid {
  uint32_t scanout, padding;
};
struct ResourceCreateBlob {  // nr_entries of MemEntry follow
  uint32_t resource_id, blob_mem, blob_flags, nr_entries;
  uint64_t blob_id, size;
};
static_assert(sizeof(ResourceCreateBlob) == 32);
inline constexpr uint32_t kBlobMemGuest = 1;
inline constexpr uint32_t kBlobMemHost3d = 2;
inline constexpr uint32_t kBlobMemHost3dGuest = 3;
struct CtxCreate {
  uint32_t nlen, context_init;  // bits 0 to 7: the capset
  char debug_name[64];
};
static_assert(sizeof(CtxCreate) == 72);
struct Submit3d {  // `size` bytes of commands follow
  uint32_t size, padding;
};
struct ResourceMapBlob {
  uint32_t resource_id, padding;
  uint64_t offset;
};
struct UpdateCursor {  // MOVE_CURSOR as well
  uint32_t scanout_id, x, y, padding, resource_id, hot_x, hot_y, padding2;
};
static_assert(sizeof(UpdateCursor) == 32);

// What follows the header of a response.
struct DisplayOne {
  Rect r;
  uint32_t enabled, flags;
};
struct DisplayInfo {
  DisplayOne pmodes[kMaxScanouts];
};
static_assert(sizeof(DisplayInfo) == 384);
struct CapsetInfo {
  uint32_t capset_id, capset_max_version, capset_max_size, padding;
};
struct Edid {
  uint32_t size, padding;
  uint8_t edid[1024];
};
static_assert(sizeof(Edid) == 1032);
struct ResourceUuid {
  uint8_t uuid[16];
};
struct MapInfo {
  uint32_t map_info, padding;
};
inline constexpr uint32_t kMapCacheCached = 1;
inline constexpr uint32_t kMapCacheWriteCombine = 3;

}  // namespace pvgpu::virtio_gpu
