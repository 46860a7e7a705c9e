// A Venus context: one guest process's connection, with its object ids, rings, resources and its own
// VkInstance on the host. A frontend creates one per connection and drives it through the calls below.
//
// Threads: create_blob, attach_resource, unref_resource, submit and submit_fence are called from one control thread at
// a time; rings, the ring monitor and fence retirement run on threads of the context's own. The
// destructor stops them all, waits for the devices to be idle and frees everything.
// Errors: a guest's mistake poisons the context for good (poisoned() then tells why, the guest's rings
// show FATAL, every further call fails with the same reason); nothing else in the process notices.
// Source: Venus protocol reference, sections 4 to 8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "platform/fd.h"
#include "venus/poison.h"

namespace pvgpu::observe {
class LatencyReport;
class Recorder;
}

namespace pvgpu::platform {
class SharedMemory;
}

namespace pvgpu::host {
class Host;
struct CarriedExtensions;
}

namespace pvgpu::venus {

// What a guest reads before it sends anything (protocol reference, section 2).
inline constexpr uint32_t kCapsetId = 4;
inline constexpr size_t kCapsetBytes = 160;
std::array<std::byte, kCapsetBytes> capset();

// What this build decodes of device extensions, for host::HostOptions.
host::CarriedExtensions carried_extensions();

struct BlobRequest {
  uint32_t flags = 0;    // kBlobMappable | kBlobShareable | kBlobCrossDevice
  uint64_t blob_id = 0;  // 0: plain shared memory; else the object id of a VkDeviceMemory
  uint64_t size = 0;     // bytes
};
// What a guest maps: `fd` from offset 0, `size` bytes (whole pages, at least as many as asked for).
struct BlobMemory {
  platform::UniqueFd fd;  // invalid: memory that nothing can map
  uint64_t size = 0;
  bool cached = true;  // by the processor; else the guest maps it write-combined
  // The same bytes where this process has them mapped already, if it has: what the driver was given, or the context reads. They stay
  // there while this is held, whatever becomes of the context.
  std::shared_ptr<const platform::SharedMemory> bytes = nullptr;
};
inline constexpr uint32_t kBlobMappable = 1;
inline constexpr uint32_t kBlobShareable = 2;
inline constexpr uint32_t kBlobCrossDevice = 4;

// Where a ring's status word lies, for whoever must show FATAL there should this process end without.
struct RingStatus {
  uint64_t ring = 0;  // the guest's id
  int fd = -1;        // of the memory that the guest sees; the context's
  uint64_t offset = 0;
};
inline constexpr uint32_t kRingStatusFatal = 2;

class Context {
 public:
  struct Options {
    std::string name;  // the guest process, for the log
    std::shared_ptr<observe::Recorder> recorder = nullptr;  // gets all that the context takes in; may be empty
    std::shared_ptr<observe::LatencyReport> latency = nullptr;  // gets the rings' times as they end; may be empty
    // Rings have no threads; what they would pick up is given to Ring::execute(), and nothing waits for another stream. For replays.
    bool rings_by_hand = false;
    // Threads beside each ring that record long command buffers (recording_lanes.h); 0: none. Empty: as this host's processors allow.
    std::optional<unsigned> recording_lanes = std::nullopt;
    // What create_blob gives for memory whose bytes nothing can map, which guests ask for all the same when they
    // export it: plain memory in its place, for transports that have no way to refuse a blob; else no descriptor.
    bool stand_ins = true;
    // Where the guest's messages arrive, borrowed: rings that sleep wake up by themselves when one does, since it may be for
    // them, and save the time in which it would be handed on. -1: they are woken when they are notified.
    int arrivals = -1;
    // Told of each ring when it is there, and of its id (with fd -1) when it has gone; on the control thread.
    std::function<void(const RingStatus&)> on_ring;
  };
  // `host` outlives the context. Never fails: the driver is first touched by vkCreateInstance.
  static std::unique_ptr<Context> create(host::Host& host, Options options);
  ~Context();

  // Makes resource `resource_id` (> 0, not in use), and returns what the guest can map of it.
  std::expected<BlobMemory, Poison> create_blob(uint32_t resource_id, const BlobRequest& request);
  // Makes a resource that another context (or the guest itself) made known here under the same id: `fd` maps `size`
  // bytes of it from offset 0. What is known already stays as it is.
  std::expected<void, Poison> attach_resource(uint32_t resource_id, platform::UniqueFd fd, uint64_t size);
  // Ends the guest's use of the id; memory lives on while a ring or a VkDeviceMemory uses it.
  void unref_resource(uint32_t resource_id);

  // Executes commands of the context stream, in order, before it returns. `commands` may be changed
  // by nobody meanwhile (it is the frontend's own copy).
  std::expected<void, Poison> submit(std::span<const std::byte> commands);

  // Calls `done` once everything submitted so far on timeline `ring_idx` is complete: 0 is the CPU
  // timeline (at once, on this thread), 1..63 the VkQueue bound to it (later, on another thread).
  // `done` is called exactly once, also when the context is poisoned or destroyed.
  std::expected<void, Poison> submit_fence(uint32_t ring_idx, std::function<void()> done);

  std::optional<Poison> poisoned() const;

 private:
  class Impl;
  explicit Context(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pvgpu::venus
