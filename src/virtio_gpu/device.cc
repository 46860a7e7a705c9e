#include "virtio_gpu/device.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "observe/log.h"

namespace pvgpu::virtio_gpu {
namespace {

// The page list of a blob of 4 GiB in single pages; what is larger is nothing that a driver sends.
constexpr size_t kMaxRequestBytes = size_t{16} << 20;

Header answer_header(const Header& request, Response type) {
  Header header{};
  header.type = static_cast<uint32_t>(type);
  if (request.flags & kFlagFence) {
    header.flags = request.flags & (kFlagFence | kFlagRingIdx);
    header.fence_id = request.fence_id;
    header.ctx_id = request.ctx_id;
    header.ring_idx = request.ring_idx;
  }
  return header;
}

}  // namespace

Device::Device(ControlOptions options, Transport& transport) : options_(std::move(options)), transport_(transport) {
  reset();
}

Device::~Device() {
  life_.reset();  // nothing is answered any more
}

uint64_t Device::offered_features() const {
  // Guests without a display see the device that they always saw.
  const uint64_t display = options_.displays.empty() ? 0 : uint64_t{kFeatureEdid};
  const uint64_t alignment = options_.map_alignment > kSmallestPage ? uint64_t{kFeatureBlobAlignment} : 0;
  return display | alignment | kFeatureVirgl | kFeatureResourceUuid | kFeatureResourceBlob | kFeatureContextInit |
         kFeatureIndirectDescriptors | kFeatureEventIndex | kFeatureVersion1 | kFeatureRingPacked;
}

void Device::read_config(uint32_t offset, std::span<std::byte> out) const {
  std::ranges::fill(out, std::byte{0});
  const Config config = control_->config();
  if (out.empty() || offset >= sizeof config) return;
  const size_t length = std::min(out.size(), sizeof config - offset);
  std::memcpy(out.data(), reinterpret_cast<const std::byte*>(&config) + offset, length);
}

void Device::write_config(uint32_t offset, std::span<const std::byte> bytes) {
  // Only events_clear can be written.
  uint32_t events = 0;
  if (offset != offsetof(Config, events_clear) || bytes.size() < sizeof events) return;
  std::memcpy(&events, bytes.data(), sizeof events);
  control_->clear_events(events);
}

bool Device::set_display_size(uint32_t scanout, DisplaySize size) {
  if (scanout >= options_.displays.size() || !size.is_possible()) return false;
  options_.displays[scanout] = size;
  control_->display_changed();
  return true;
}

bool Device::start_queue(uint16_t index, QueueMemory layout, uint32_t position) {
  if (index >= kQueueCount) return false;
  Queue& queue = queues_[index];
  const bool indirect = (features_ & kFeatureIndirectDescriptors) != 0;
  const bool event_index = (features_ & kFeatureEventIndex) != 0;
  const auto take = [&](auto ring) {
    if (ring) queue.ring.emplace(std::move(*ring));
    else stop_broken(index, ring.error());
    return ring.has_value();
  };
  const GuestMemory& memory = transport_.memory();
  if (!(packed() ? take(PackedVirtqueue::create(memory, std::move(layout), position, indirect))
                 : take(Virtqueue::create(memory, std::move(layout), static_cast<uint16_t>(position), indirect, event_index))))
    return false;
  queue.broken = false;
  for (const Queue::Answer& answer : std::exchange(queue.unsent, {})) give_back(index, answer.chain, answer.bytes);
  return true;
}

uint32_t Device::stop_queue(uint16_t index) {
  if (index >= kQueueCount) return 0;
  Queue& queue = queues_[index];
  if (queue.ring) queue.position = std::visit([](const auto& ring) { return ring.position(); }, *queue.ring);
  queue.ring.reset();
  return queue.position;
}

void Device::kick(uint16_t index) {
  if (index >= kQueueCount) return;
  // A command's effects may stop the queue, so it is looked up anew for each.
  const std::weak_ptr<Life> life = life_;
  while (!life.expired() && queues_[index].ring && !queues_[index].broken) {
    auto chain = std::visit([](auto& ring) { return ring.pop(); }, *queues_[index].ring);
    if (!chain) return stop_broken(index, chain.error());
    if (!*chain) return;
    process(index, std::move(**chain));
  }
}

void Device::stop_broken(uint16_t index, const std::string& why) {
  Queue& queue = queues_[index];
  if (!queue.broken) LOG_ERROR("the guest's driver broke queue {}, which stops until it resets the device: {}", index, why);
  queue.broken = true;
  transport_.queue_broken(index);
}

void Device::process(uint16_t queue, Chain chain) {
  const auto request = read_chain(transport_.memory(), chain, kMaxRequestBytes);
  Header header{};
  if (!request || request->size() < sizeof header) {
    warnings_.warn("queue {}: a request of {} bytes that cannot be read", queue, chain.readable_bytes);
    return reply_to(queue, std::move(chain), header).error(Response::kErrInvalidParameter);
  }
  std::memcpy(&header, request->data(), sizeof header);
  Reply reply = reply_to(queue, std::move(chain), header);
  const auto body = std::span<const std::byte>(*request).subspan(sizeof header);
  if (queue == kControlQueue) {
    control_->execute(header, body, std::move(reply));
  } else {
    control_->execute_cursor(header, body, std::move(reply));
  }
}

Reply Device::reply_to(uint16_t queue, Chain chain, const Header& request) {
  std::optional<FenceOrder::Ticket> ticket;
  if (request.flags & kFlagFence) ticket = life_->fences.enter(request);
  return Reply([life = std::weak_ptr<Life>(life_), queue, chain = std::move(chain), request, ticket](
                   Response type, std::span<const std::byte> body) mutable {
    auto alive = life.lock();
    if (!alive) return;
    const Header header = answer_header(request, type);
    std::vector<std::byte> bytes(sizeof header + body.size());
    std::memcpy(bytes.data(), &header, sizeof header);
    std::ranges::copy(body, bytes.begin() + sizeof header);
    auto answer = [device = alive->device, queue, chain = std::move(chain), bytes = std::move(bytes)]() mutable {
      device->send(queue, std::move(chain), std::move(bytes));
    };
    if (ticket) {
      alive->fences.finish(*ticket, [transport = &alive->device->transport_, request, answer = std::move(answer)]() mutable {
        transport->fence_complete(request);
        answer();
      });
    } else {
      answer();
    }
  });
}

void Device::send(uint16_t index, Chain chain, std::vector<std::byte> bytes) {
  if (!queues_[index].ring) {
    queues_[index].unsent.push_back({std::move(chain), std::move(bytes)});
  } else {
    give_back(index, chain, bytes);
  }
}

void Device::give_back(uint16_t index, const Chain& chain, std::span<const std::byte> bytes) {
  // A driver that wants no data, or asks for less than there is, gets what it made room for.
  const auto fitting = bytes.first(static_cast<size_t>(std::min<uint64_t>(bytes.size(), chain.writable_bytes)));
  if (!write_chain(transport_.memory(), chain, fitting)) {
    warnings_.warn("queue {}: an answer has nowhere to go, the guest's buffer is not in its memory", index);
  }
  const auto written = static_cast<uint32_t>(fitting.size());
  if (std::visit([&](auto& ring) { return ring.push(chain, written); }, *queues_[index].ring)) transport_.interrupt(index);
}

void Device::reset() {
  life_.reset();
  control_.reset();
  warnings_.finish();
  for (Queue& queue : queues_) queue = Queue();
  life_ = std::make_shared<Life>(this);
  control_ = std::make_unique<Control>(options_, transport_, warnings_);
}

}  // namespace pvgpu::virtio_gpu
