#include "venus/context.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "observe/log.h"
#include "observe/recording.h"
#include "observe/log_limit.h"
#include "platform/thread.h"
#include "protocol/tables.h"
#include "venus/context_impl.h"
#include "venus/destroy_objects.h"
#include "venus/queue_timelines.h"

namespace pvgpu::venus {

std::array<std::byte, kCapsetBytes> capset() {
  // Protocol reference, section 2. The mask says what this build can decode, not what a driver has.
  std::array<uint32_t, kCapsetBytes / 4> words{};
  words[0] = 1;  // wire format: Mesa 23.2 and newer
  words[1] = protocol::kRegistryVersion;
  words[2] = 1;  // VK_EXT_command_serialization
  words[3] = 3;  // VK_MESA_venus_protocol; 4 would add VK_EXT_descriptor_heap
  words[4] = 1;  // blob id 0 is plain shared memory
  constexpr uint32_t kPrivateExtensions[] = {0 /* the mask is valid */, 384, 385};
  const auto set = [&](uint32_t number) { words[5 + number / 32] |= 1u << (number % 32); };
  for (uint32_t number : kPrivateExtensions) set(number);
  for (const protocol::Extension& extension : protocol::extensions()) set(extension.number);
  words[37] = 1;  // the guest may wait on rings
  words[38] = 1;  // timelines per queue
  words[39] = 0;  // device memory is the host's
  return std::bit_cast<std::array<std::byte, kCapsetBytes>>(words);
}

ContextImpl::ContextImpl(host::Host& host, Context::Options options)
    : host_(host), options_(std::move(options)), timelines_(std::make_unique<QueueTimelines>()), control_stream_(*this, nullptr) {
  if (!recorder()) return;
  const std::string profiles = host_.profiles_as_json();
  recorder()->add(observe::RecordedEvent::Kind::kHost, {}, std::as_bytes(std::span(profiles)));
}

ContextImpl::~ContextImpl() {
  stopping_.store(true, std::memory_order_release);
  {
    std::lock_guard lock(rings_mutex_);
    monitor_stop_ = true;
    // A guest that is still there must learn that nothing will be answered. This is also what shows a poison
    // of this very moment, whose thread still waits for the lock.
    for (auto& [id, ring] : rings_) {
      ring->set_fatal();
      ring->request_stop();
    }
  }
  monitor_wake_.notify_all();
  if (monitor_.joinable()) monitor_.join();
  std::map<uint64_t, std::unique_ptr<Ring>> rings;
  {
    std::lock_guard lock(rings_mutex_);
    rings.swap(rings_);
  }
  rings.clear();  // joins; outside the lock, since a ring may be poisoning the context
  timelines_->stop();
  destroy_instance();
}

void ContextImpl::poison(Poison poison) {
  {
    std::lock_guard lock(poison_mutex_);
    if (poison_) return;
    poison_ = poison;
    poisoned_flag_.store(true, std::memory_order_release);
  }
  LOG_ERROR("context poisoned: {}: {}", poison_name(poison.reason), poison.detail);
  if (recorder()) recorder()->flush();
  std::lock_guard lock(rings_mutex_);
  for (auto& [id, ring] : rings_) ring->set_fatal();
}

Poison ContextImpl::poison_reason() const {
  std::lock_guard lock(poison_mutex_);
  return poison_.value_or(Poison{PoisonReason::kHostFailure, "not poisoned"});
}

bool ContextImpl::add_ring(std::unique_ptr<Ring> ring) {
  std::lock_guard lock(rings_mutex_);
  if (rings_.size() >= kMaxRings) return false;
  const bool monitored = ring->reporting_period_us() != 0 && !rings_by_hand();
  const uint64_t id = ring->id();
  const auto [added, is_new] = rings_.try_emplace(id, std::move(ring));
  if (!is_new) return false;
  // Its thread runs already, and may have poisoned the context before the ring could be found here.
  if (is_poisoned()) added->second->set_fatal();
  if (monitored && !monitor_.joinable()) monitor_ = std::thread([this] { monitor_rings(); });
  monitor_wake_.notify_all();
  return true;
}

Ring* ContextImpl::find_ring(uint64_t id) {
  std::lock_guard lock(rings_mutex_);
  auto it = rings_.find(id);
  return it == rings_.end() ? nullptr : it->second.get();
}

void ContextImpl::remove_ring(uint64_t id) {
  std::unique_ptr<Ring> ring;
  {
    std::lock_guard lock(rings_mutex_);
    if (auto it = rings_.find(id); it != rings_.end()) {
      ring = std::move(it->second);
      rings_.erase(it);
    }
  }
  // Joined outside the lock: the ring may be poisoning the context right now.
}

// Guests abort when a ring is not reported alive in time, so this thread does nothing that can block.
void ContextImpl::monitor_rings() {
  platform::set_thread_name("pvgpu-monitor");
  std::unique_lock lock(rings_mutex_);
  while (!monitor_stop_) {
    uint32_t period_us = 0;
    for (auto& [id, ring] : rings_) {
      if (!ring->reporting_period_us()) continue;
      ring->set_alive();
      period_us = period_us ? std::min(period_us, ring->reporting_period_us()) : ring->reporting_period_us();
    }
    // Half the period leaves room for a late wake-up; without monitored rings, until one is added.
    if (period_us) {
      monitor_wake_.wait_for(lock, std::chrono::microseconds(std::max(period_us / 2, 1000u)));
    } else {
      monitor_wake_.wait(lock);
    }
  }
}

std::expected<BlobMemory, Poison> ContextImpl::create_blob(uint32_t resource_id, const BlobRequest& request) {
  if (is_poisoned()) return std::unexpected(poison_reason());
  const auto refuse = [&](PoisonReason reason, std::string detail) {
    poison({reason, fmt::format("blob {}: {}", resource_id, detail)});
    return std::unexpected(poison_reason());
  };
  constexpr uint64_t kMaxShared = uint64_t{1} << 32;  // memory blobs may be larger; they are the driver's
  if (resource_id == 0) return refuse(PoisonReason::kBadRange, "id 0");
  if (request.size == 0 || (request.blob_id == 0 && request.size > kMaxShared))
    return refuse(PoisonReason::kBadRange, fmt::format("{} bytes", request.size));
  auto resource = std::make_shared<Resource>();
  resource->id = resource_id;
  resource->size = request.size;
  BlobMemory blob;
  if (request.blob_id == 0) {
    auto memory = platform::SharedMemory::create(request.size, "pvgpu-shmem");
    if (!memory) return refuse(PoisonReason::kHostFailure, memory.error().what);
    blob.fd = memory->fd().duplicate();
    blob.size = memory->size();
    if (!blob.fd.valid()) return refuse(PoisonReason::kHostFailure, "no file descriptor left");
    resource->memory = std::move(*memory);
    blob.bytes = {resource, &resource->memory};
  } else {
    auto made = memory_blob(*resource, request);
    if (!made) return made;
    blob = std::move(*made);
  }
  if (!resources_.add(std::move(resource)))
    return refuse(PoisonReason::kDuplicateResource, "the id is in use, or there are too many resources");
  if (recorder())
    recorder()->add(observe::RecordedEvent::Kind::kResource, {resource_id, request.size, request.blob_id});
  return blob;
}

std::expected<BlobMemory, Poison> ContextImpl::memory_blob(Resource& resource, const BlobRequest& request) {
  resource.memory_object = request.blob_id;
  const auto refuse = [&](PoisonReason reason, std::string detail) {
    poison({reason, fmt::format("blob {}: {}", resource.id, detail)});
    return std::unexpected(poison_reason());
  };
  std::lock_guard lock(memories_mutex);
  const auto found = memories.find(request.blob_id);
  if (found == memories.end()) {
    const Object* object = objects_.find(request.blob_id);
    if (!object || object->type != VK_OBJECT_TYPE_DEVICE_MEMORY)
      return refuse(PoisonReason::kUnknownObject, fmt::format("{} is no VkDeviceMemory", request.blob_id));
  } else if (const Memory& memory = *found->second; memory.allocation.strategy != host::MemoryStrategy::kNone) {
    // Guests round up to pages, their own or ours.
    if (request.size > platform::round_up(memory.allocation.size, platform::page_size()))
      return refuse(PoisonReason::kBadRange,
                    fmt::format("{} bytes of a memory of {}", request.size, memory.allocation.size));
    auto fd = host::export_memory(memory.device.memory_functions, memory.device.handle, memory.allocation);
    // Drivers' allocations end at a page's end, whatever size they were asked for.
    if (fd)
      return BlobMemory{std::move(*fd), platform::round_up(memory.allocation.size, platform::page_size()), memory.cached,
                        memory.allocation.shared};
  }
  // Either nothing can map this memory (the guest asks for a descriptor all the same when it exports), or its
  // allocation failed with nobody waiting for the result. Where there is no error reply (vtest), plain memory
  // keeps the guest alive until it meets the failure at a call that reports one.
  if (!options_.stand_ins) return BlobMemory{};
  static constinit observe::LogLimit limit(20);
  observe::warn_within(limit, "memory {} has no bytes that can be shared: the guest gets plain memory in its place",
                       request.blob_id);
  auto stand_in = platform::SharedMemory::create(request.size, "pvgpu-stand-in");
  if (!stand_in) return refuse(PoisonReason::kHostFailure, stand_in.error().what);
  BlobMemory blob{stand_in->fd().duplicate(), stand_in->size()};
  if (!blob.fd.valid()) return refuse(PoisonReason::kHostFailure, "no file descriptor left");
  return blob;
}

// -- Context ------------------------------------------------------------------------------------------

class Context::Impl : public ContextImpl {
 public:
  using ContextImpl::ContextImpl;
};

Context::Context(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Context::~Context() = default;

std::unique_ptr<Context> Context::create(host::Host& host, Options options) {
  return std::unique_ptr<Context>(new Context(std::make_unique<Impl>(host, std::move(options))));
}

std::expected<BlobMemory, Poison> Context::create_blob(uint32_t resource_id, const BlobRequest& request) {
  return impl_->create_blob(resource_id, request);
}

std::expected<void, Poison> Context::attach_resource(uint32_t resource_id, platform::UniqueFd fd, uint64_t size) {
  if (impl_->is_poisoned()) return std::unexpected(impl_->poison_reason());
  if (impl_->resources().find(resource_id)) return {};
  auto resource = std::make_shared<Resource>();
  resource->id = resource_id;
  resource->size = size;
  resource->foreign = std::move(fd);
  if (impl_->resources().add(std::move(resource))) return {};
  impl_->poison({PoisonReason::kLimitExceeded, fmt::format("resource {}: there are too many", resource_id)});
  return std::unexpected(impl_->poison_reason());
}

void Context::unref_resource(uint32_t resource_id) {
  if (impl_->recorder()) impl_->recorder()->add(observe::RecordedEvent::Kind::kResourceGone, {resource_id});
  impl_->resources().remove(resource_id);
}

std::expected<void, Poison> Context::submit(std::span<const std::byte> commands) {
  if (!impl_->is_poisoned()) {
    if (impl_->recorder()) impl_->recorder()->add(observe::RecordedEvent::Kind::kContextCommands, {}, commands);
    impl_->control_stream().execute(commands);
  }
  if (impl_->is_poisoned()) return std::unexpected(impl_->poison_reason());
  return {};
}

std::expected<void, Poison> Context::submit_fence(uint32_t ring_idx, std::function<void()> done) {
  if (ring_idx == 0 || impl_->is_poisoned()) {
    done();
    if (impl_->is_poisoned()) return std::unexpected(impl_->poison_reason());
    return {};
  }
  std::expected<void, Poison> result =
      ring_idx < ContextImpl::kTimelineCount
          ? impl_->timelines().submit(ring_idx, done)
          : std::unexpected(Poison{PoisonReason::kBadTimeline, fmt::format("timeline {}", ring_idx)});
  if (!result) {
    impl_->poison(result.error());
    done();
  }
  return result;
}

std::optional<Poison> Context::poisoned() const {
  if (!impl_->is_poisoned()) return std::nullopt;
  return impl_->poison_reason();
}

}  // namespace pvgpu::venus
