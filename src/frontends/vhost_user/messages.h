// The vhost-user protocol as far as a device of ours speaks it: QEMU's "Vhost-user Protocol" document, with the
// shared-memory extension of QEMU 11.1. Host byte order; front-end and back-end are one machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "platform/fd.h"

namespace pvgpu::frontends::vhost_user {

enum class FrontendRequest : uint32_t {
  kGetFeatures = 1,
  kSetFeatures = 2,
  kSetOwner = 3,
  kResetOwner = 4,
  kSetMemTable = 5,
  kSetVringNum = 8,
  kSetVringAddr = 9,
  kSetVringBase = 10,
  kGetVringBase = 11,
  kSetVringKick = 12,
  kSetVringCall = 13,
  kSetVringErr = 14,
  kGetProtocolFeatures = 15,
  kSetProtocolFeatures = 16,
  kGetQueueNum = 17,
  kSetVringEnable = 18,
  kSetBackendReqFd = 21,
  kGetConfig = 24,
  kSetConfig = 25,
  kResetDevice = 34,
  kGetMaxMemSlots = 36,
  kAddMemReg = 37,
  kRemMemReg = 38,
  kGetShmemConfig = 44,
};

enum class BackendRequest : uint32_t {
  kConfigChange = 2,
  kSharedObjectRemove = 7,
  kShmemMap = 9,
  kShmemUnmap = 10,
};

inline constexpr uint64_t kFeatureProtocol = 1ull << 30;  // VHOST_USER_F_PROTOCOL_FEATURES

enum ProtocolFeature : uint64_t {
  kProtocolMq = 1ull << 0,
  kProtocolReplyAck = 1ull << 3,
  kProtocolBackendReq = 1ull << 5,
  kProtocolConfig = 1ull << 9,
  kProtocolBackendSendFd = 1ull << 10,
  kProtocolResetDevice = 1ull << 13,
  kProtocolConfigureMemSlots = 1ull << 15,
  kProtocolSharedObject = 1ull << 18,
};
// Its number moved while the extension was under review, so it can be configured.
inline constexpr uint32_t kDefaultShmemFeatureBit = 22;

struct MessageHeader {
  uint32_t request, flags, size;
};
static_assert(sizeof(MessageHeader) == 12);
inline constexpr uint32_t kVersion = 1;
inline constexpr uint32_t kVersionMask = 3;
inline constexpr uint32_t kFlagReply = 4;
inline constexpr uint32_t kFlagNeedReply = 8;

struct VringState {
  uint32_t index, num;
};
struct VringAddress {
  uint32_t index, flags;
  uint64_t descriptors, used, available, log;  // in the front-end's address space
};
static_assert(sizeof(VringAddress) == 40);
// Of SET_VRING_KICK, CALL and ERR: the queue, and whether no descriptor comes along.
inline constexpr uint64_t kVringIndexMask = 0xff;
inline constexpr uint64_t kVringNoFd = 0x100;

struct MemoryRegion {
  uint64_t guest_address, size, user_address, mmap_offset;
};
static_assert(sizeof(MemoryRegion) == 32);
inline constexpr uint32_t kMaxTableRegions = 8;
struct MemoryTableHeader {
  uint32_t count, padding;
};

struct ConfigHeader {  // `size` bytes follow
  uint32_t offset, size, flags;
};
inline constexpr uint32_t kMaxConfigBytes = 256;

struct ShmemConfig {
  uint32_t count, padding;
  uint64_t sizes[256];  // by region id
};
static_assert(sizeof(ShmemConfig) == 2056);

struct ShmemMap {
  uint8_t region_id, padding[7];
  uint64_t fd_offset, window_offset, length, flags;
};
static_assert(sizeof(ShmemMap) == 40 && offsetof(ShmemMap, fd_offset) == 8);
inline constexpr uint64_t kShmemWritable = 1;

struct SharedObject {
  uint8_t uuid[16];
};

struct Message {
  MessageHeader header{};
  std::vector<std::byte> payload;
  std::vector<platform::UniqueFd> descriptors;
};

}  // namespace pvgpu::frontends::vhost_user
