#include "virtio_gpu/testing/driver.h"

#include <algorithm>

namespace pvgpu::virtio_gpu::testing {
namespace {

constexpr uint64_t kQueueBytes = 1 << 16;
constexpr uint64_t kAvailableOffset = 0x1000, kUsedOffset = 0x2000;
// Requests and answers lie behind the queues.
constexpr uint64_t kRequests = FakeMemory::kLow + 2 * kQueueBytes;
constexpr uint64_t kSlotBytes = 0x8000;

template <class T>
void store(const FakeMemory& memory, uint64_t address, T value) {
  std::memcpy(memory.at(address), &value, sizeof value);
}
template <class T>
T load(const FakeMemory& memory, uint64_t address) {
  T value;
  std::memcpy(&value, memory.at(address), sizeof value);
  return value;
}

}  // namespace

GuestBytes FakeMemory::find(uint64_t address, uint64_t length) const {
  const auto in = [&](uint64_t start, const auto& bytes) -> std::optional<GuestBytes> {
    if (address < start || address - start >= bytes->size()) return std::nullopt;
    const size_t offset = static_cast<size_t>(address - start);
    const size_t count = static_cast<size_t>(std::min<uint64_t>(length, bytes->size() - offset));
    return GuestBytes{std::span(*bytes).subspan(offset, count), bytes};
  };
  if (gone_) return {};
  if (auto found = in(kLow, low_)) return *found;
  if (auto found = in(kHigh, high_)) return *found;
  return {};
}

std::byte* FakeMemory::at(uint64_t address) const {
  return address >= kHigh ? high_->data() + (address - kHigh) : low_->data() + (address - kLow);
}

QueueMemory DriverQueue::layout() const {
  return {.size = kSize,
          .descriptors = memory_.find(base_, QueueMemory::descriptor_bytes(kSize)),
          .available = memory_.find(base_ + kAvailableOffset, QueueMemory::available_bytes(kSize)),
          .used = memory_.find(base_ + kUsedOffset, QueueMemory::used_bytes(kSize))};
}

void DriverQueue::set_descriptor(uint16_t index, const RawDescriptor& descriptor) {
  store(memory_, base_ + 16 * index, descriptor);
}

void DriverQueue::make_available(uint16_t head) {
  store(memory_, base_ + kAvailableOffset + 4 + 2 * (available_ % kSize), head);
  set_available_index(static_cast<uint16_t>(available_ + 1));
}

void DriverQueue::set_available_index(uint16_t index) {
  available_ = index;
  store(memory_, base_ + kAvailableOffset + 2, index);
}

void DriverQueue::suppress_interrupts(bool on) { store<uint16_t>(memory_, base_ + kAvailableOffset, on ? 1 : 0); }

void DriverQueue::ask_for_interrupt(uint16_t index) { store(memory_, base_ + kAvailableOffset + 4 + 2 * kSize, index); }

uint16_t DriverQueue::wanted_entry() const { return load<uint16_t>(memory_, base_ + kUsedOffset + 4 + 8 * kSize); }

uint16_t DriverQueue::used_index() const { return load<uint16_t>(memory_, base_ + kUsedOffset + 2); }

std::pair<uint32_t, uint32_t> DriverQueue::used(uint16_t index) const {
  const uint64_t entry = base_ + kUsedOffset + 4 + 8 * (index % kSize);
  return {load<uint32_t>(memory_, entry), load<uint32_t>(memory_, entry + 4)};
}

QueueMemory PackedDriverQueue::layout() const {
  return {.size = kSize,
          .descriptors = memory_.find(base_, QueueMemory::descriptor_bytes(kSize)),
          .available = memory_.find(base_ + kAvailableOffset, PackedVirtqueue::event_bytes()),
          .used = memory_.find(base_ + kUsedOffset, PackedVirtqueue::event_bytes())};
}

void PackedDriverQueue::make_available(uint16_t id, const std::vector<RawDescriptor>& chain) {
  for (size_t i = 0; i < chain.size(); i++) {
    const uint64_t at = base_ + 16 * next_;
    const int turn = next_wrap_ ? 1 << 7 : 1 << 15;
    store(memory_, at, chain[i].address);
    store(memory_, at + 8, chain[i].length);
    store(memory_, at + 12, id);
    store(memory_, at + 14, static_cast<uint16_t>(chain[i].flags | turn | (i + 1 < chain.size() ? kNext : 0)));
    next_wrap_ ^= ++next_ == kSize;
    next_ %= kSize;
  }
}

void PackedDriverQueue::suppress_interrupts(bool on) { store<uint16_t>(memory_, base_ + kAvailableOffset + 2, on ? 1 : 0); }

std::optional<std::pair<uint16_t, uint32_t>> PackedDriverQueue::take_used(uint16_t descriptors) {
  const uint64_t at = base_ + 16 * used_;
  const uint16_t flags = load<uint16_t>(memory_, at + 14);
  if (((flags >> 7) & 1) != used_wrap_ || (flags >> 15) != used_wrap_) return std::nullopt;
  const std::pair result(load<uint16_t>(memory_, at + 12), load<uint32_t>(memory_, at + 8));
  used_wrap_ ^= used_ + descriptors >= kSize;
  used_ = static_cast<uint16_t>((used_ + descriptors) % kSize);
  return result;
}

Machine::Machine(ControlOptions options) {
  options.make_renderer = [this](const std::string& name) -> std::unique_ptr<Renderer> {
    if (refuse_contexts) return nullptr;
    return std::make_unique<FakeRenderer>(*this, name);
  };
  for (size_t i = 0; i < options.capset.size(); i++) options.capset[i] = std::byte(i);
  if (options.window_bytes == 0) options.window_bytes = 1 << 20;
  device = std::make_unique<Device>(std::move(options), *this);
}

Machine::~Machine() { device.reset(); }

void Machine::map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) {
  EXPECT_GE(memory.fd.get(), 0);
  EXPECT_GE(memory.size, length);
  if (window_fails) return done(false);
  EXPECT_TRUE(window.emplace(offset, length).second);
  if (window_later) return window_done.push_back(std::move(done));
  done(true);
}

void Machine::unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) {
  unmapped++;
  const auto found = window.find(offset);
  const bool there = found != window.end() && found->second == length;
  if (there) window.erase(found);
  done(there);
}

void Machine::probe(bool indirect) {
  const uint64_t without = kFeatureRingPacked | kFeatureEventIndex | (indirect ? uint64_t{0} : uint64_t{kFeatureIndirectDescriptors});
  device->accept_features(device->offered_features() & ~without);
  EXPECT_TRUE(device->start_queue(kControlQueue, control.layout(), 0));
  EXPECT_TRUE(device->start_queue(kCursorQueue, cursor.layout(), 0));
}

Machine::Sent Machine::send(const std::vector<std::byte>& request, uint16_t queue, uint32_t room) {
  DriverQueue& rings = queue == kControlQueue ? control : cursor;
  const uint16_t slot = next_slot_++ % (DriverQueue::kSize / 2);
  const uint64_t address = kRequests + slot * kSlotBytes;
  const uint64_t answer = address + kSlotBytes - 0x1000;
  EXPECT_LE(request.size(), kSlotBytes - 0x1000);
  std::memcpy(guest.at(address), request.data(), request.size());
  std::memset(guest.at(answer), 0, 0x1000);
  const uint16_t head = static_cast<uint16_t>(2 * slot), second = static_cast<uint16_t>(head + 1);
  rings.set_descriptor(head, {address, static_cast<uint32_t>(request.size()), kNext, second});
  rings.set_descriptor(second, {answer, room, kWrite, 0});
  const Sent sent{head, answer, rings.used_index()};
  rings.make_available(head);
  device->kick(queue);
  return sent;
}

std::optional<std::vector<std::byte>> Machine::answer_to(const Sent& sent) {
  for (const DriverQueue* queue : {&control, &cursor}) {
    for (uint16_t index = sent.used_before; index != queue->used_index() && queue->used_index() >= sent.used_before; index++) {
      const auto [head, written] = queue->used(index);
      if (head != sent.head) continue;
      return std::vector<std::byte>(guest.at(sent.answer), guest.at(sent.answer) + written);
    }
  }
  return std::nullopt;
}

Response Machine::type_of(const std::optional<std::vector<std::byte>>& answer) {
  Header header{};
  EXPECT_TRUE(answer.has_value()) << "no answer";
  if (answer && answer->size() >= sizeof header) std::memcpy(&header, answer->data(), sizeof header);
  return static_cast<Response>(header.type);
}

void Machine::create_context(uint32_t id) {
  CtxCreate body{.nlen = 4, .context_init = venus::kCapsetId, .debug_name = "cube"};
  EXPECT_EQ(call(Command::kCtxCreate, body, id), Response::kOkNoData);
}

Response Machine::create_blob(uint32_t resource, uint32_t ctx, uint64_t size, uint64_t blob_id) {
  return call(Command::kResourceCreateBlob,
              ResourceCreateBlob{.resource_id = resource, .blob_mem = kBlobMemHost3d, .blob_flags = venus::kBlobMappable,
                                 .nr_entries = 0, .blob_id = blob_id, .size = size}, ctx);
}

Response Machine::map(uint32_t resource, uint64_t offset) {
  return call(Command::kResourceMapBlob, ResourceMapBlob{.resource_id = resource, .padding = 0, .offset = offset});
}

void FakeRenderer::create_blob(uint32_t, const venus::BlobRequest& request, BlobDone done) {
  blobs.push_back(request);
  auto finish = [this, request, done = std::move(done)] {
    if (poisoned) return done(std::unexpected(venus::Poison{venus::PoisonReason::kBadMessage, "poisoned"}));
    if (unmappable) return done(venus::BlobMemory{});
    memory.push_back(*platform::SharedMemory::create(request.size, "blob"));
    done(venus::BlobMemory{memory.back().fd().duplicate(), memory.back().size(), request.blob_id == 0});
  };
  if (later) return unfinished.push_back(std::move(finish));
  finish();
}

}  // namespace pvgpu::virtio_gpu::testing
