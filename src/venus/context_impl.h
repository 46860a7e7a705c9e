// What a Context is made of: shared by the streams' threads and the command handlers.
// Each member says how it is guarded; see docs/architecture.md for the threads.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "host/host.h"
#include "venus/context.h"
#include "venus/device.h"
#include "venus/object_table.h"
#include "venus/resource.h"
#include "venus/ring.h"
#include "venus/stream.h"

namespace pvgpu::venus {

class QueueTimelines;

class ContextImpl {
 public:
  static constexpr size_t kMaxRings = 256;
  static constexpr uint32_t kTimelineCount = 64;

  ContextImpl(host::Host& host, Context::Options options);
  ~ContextImpl();

  host::Host& host() { return host_; }
  ObjectTable& objects() { return objects_; }
  ResourceTable& resources() { return resources_; }
  Stream& control_stream() { return control_stream_; }
  const Context::Options& options() const { return options_; }
  const std::string& name() const { return options_.name; }
  // Gets all that comes in; nullptr: nobody wants it.
  observe::Recorder* recorder() const { return options_.recorder.get(); }
  // Wants the rings' times; nullptr: nobody does.
  observe::LatencyReport* latency() const { return options_.latency.get(); }
  // Threads for long recordings beside each ring; 0: the ring records.
  unsigned recording_lanes() const { return options_.recording_lanes.value_or(RecordingLanes::usual_count()); }
  bool rings_by_hand() const { return options_.rings_by_hand; }

  bool is_poisoned() const { return poisoned_flag_.load(std::memory_order_acquire); }
  // The first reason counts: it is logged, and every ring shows FATAL. Any thread.
  void poison(Poison poison);
  Poison poison_reason() const;
  // The context is going away: long waits must end.
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  // -- instance and devices; created by handlers, freed by the destructor --
  std::mutex devices_mutex;
  std::unique_ptr<Instance> instance;
  std::deque<PhysicalDevice> physical_devices;  // complete after the first vkEnumeratePhysicalDevices
  std::deque<Device> devices;
  // Destroys the driver's objects of `device` that the guest left, and the device. Erases their ids.
  void destroy_device(Device& device);
  void destroy_instance();

  // -- device memory by object id --
  std::mutex memories_mutex;
  std::unordered_map<uint64_t, std::unique_ptr<Memory>> memories;

  // -- rings; changed by the control thread only --
  bool add_ring(std::unique_ptr<Ring> ring);
  Ring* find_ring(uint64_t id);
  void remove_ring(uint64_t id);

  QueueTimelines& timelines() { return *timelines_; }

  std::expected<BlobMemory, Poison> create_blob(uint32_t resource_id, const BlobRequest& request);

 private:
  void monitor_rings();
  std::expected<BlobMemory, Poison> memory_blob(Resource& resource, const BlobRequest& request);

  host::Host& host_;
  const Context::Options options_;
  ObjectTable objects_;
  ResourceTable resources_;

  mutable std::mutex poison_mutex_;
  std::optional<Poison> poison_;
  std::atomic<bool> poisoned_flag_{false};
  std::atomic<bool> stopping_{false};

  std::mutex rings_mutex_;  // the map, for poison() and the monitor; held only briefly
  std::map<uint64_t, std::unique_ptr<Ring>> rings_;

  std::condition_variable monitor_wake_;
  bool monitor_stop_ = false;  // under rings_mutex_
  std::thread monitor_;        // started with the first monitored ring

  std::unique_ptr<QueueTimelines> timelines_;
  Stream control_stream_;
};

}  // namespace pvgpu::venus
