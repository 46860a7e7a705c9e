// A guest for tests: memory, a driver that fills virtqueues as Linux does, and a machine around the device that
// keeps what is mapped into the window. Contexts are stand-ins that note what they are told. One thread.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/shared_memory.h"
#include "virtio_gpu/device.h"

namespace pvgpu::virtio_gpu::testing {

// Guest memory in two pieces with a hole between, each at an address of its own.
class FakeMemory : public GuestMemory {
 public:
  static constexpr uint64_t kLow = 0x1000, kLowBytes = 1 << 20;
  static constexpr uint64_t kHigh = 0x1'0000'0000, kHighBytes = 1 << 16;

  GuestBytes find(uint64_t address, uint64_t length) const override;
  std::byte* at(uint64_t address) const;
  // The guest's memory goes.
  void unplug() { gone_ = true; }

 private:
  bool gone_ = false;
  std::shared_ptr<std::vector<std::byte>> low_ = std::make_shared<std::vector<std::byte>>(kLowBytes);
  std::shared_ptr<std::vector<std::byte>> high_ = std::make_shared<std::vector<std::byte>>(kHighBytes);
};

// What the driver put into a queue, by hand.
struct RawDescriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;
};
inline constexpr uint16_t kNext = 1, kWrite = 2, kIndirect = 4;

// The rings of a queue in guest memory, at kLow + queue * 64 KiB.
class DriverQueue {
 public:
  static constexpr uint16_t kSize = 16;
  DriverQueue(FakeMemory& memory, uint64_t base) : memory_(memory), base_(base) {}

  QueueMemory layout() const;
  void set_descriptor(uint16_t index, const RawDescriptor& descriptor);
  void make_available(uint16_t head);
  void set_available_index(uint16_t index);
  void suppress_interrupts(bool on);
  // With event indices: asks for an interrupt by used entry `index`; which available entry the device wants to be told of.
  void ask_for_interrupt(uint16_t index);
  uint16_t wanted_entry() const;
  uint16_t used_index() const;
  // Of used entry `index`.
  std::pair<uint32_t, uint32_t> used(uint16_t index) const;

 private:
  FakeMemory& memory_;
  const uint64_t base_;
  uint16_t available_ = 0;
};

// The same for a packed queue.
class PackedDriverQueue {
 public:
  static constexpr uint16_t kSize = 12;  // need not be a power of two
  PackedDriverQueue(FakeMemory& memory, uint64_t base) : memory_(memory), base_(base) {}

  QueueMemory layout() const;
  // Puts a chain into the ring: its descriptors, of which the flags need not tell kNext or the turn.
  void make_available(uint16_t id, const std::vector<RawDescriptor>& chain);
  void suppress_interrupts(bool on);
  // The next chain that the device has used: its id and how many bytes it wrote. `descriptors`: of that chain.
  std::optional<std::pair<uint16_t, uint32_t>> take_used(uint16_t descriptors);

 private:
  FakeMemory& memory_;
  const uint64_t base_;
  uint16_t next_ = 0, used_ = 0;
  bool next_wrap_ = true, used_wrap_ = true;
};

struct FakeRenderer;

class Machine : public Transport {
 public:
  explicit Machine(ControlOptions options = {});
  ~Machine() override;

  // Transport
  const GuestMemory& memory() const override { return guest; }
  void interrupt(uint16_t queue) override { interrupts[queue]++; }
  void config_changed() override { config_changes++; }
  void queue_broken(uint16_t queue) override { broken[queue]++; }
  void map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) override;
  void unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) override;

  // Negotiates and starts both queues, as a driver does at its probe.
  void probe(bool indirect = true);

  // A request on its way: where its answer will be.
  struct Sent {
    uint16_t head;
    uint64_t answer;
    uint16_t used_before;
  };
  // Puts a request into the queue and kicks.
  Sent send(const std::vector<std::byte>& request, uint16_t queue = kControlQueue, uint32_t room = 2048);
  // The answer; nullopt while there is none.
  std::optional<std::vector<std::byte>> answer_to(const Sent& sent);

  template <class Body = int>
  static std::vector<std::byte> request(Command command, const Body& body, uint32_t ctx_id = 0, Header header = {},
                                        std::vector<std::byte> rest = {}) {
    header.type = static_cast<uint32_t>(command);
    header.ctx_id = ctx_id;
    std::vector<std::byte> bytes(sizeof header + sizeof body);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, &body, sizeof body);
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    return bytes;
  }
  // Sends, expects an answer at once, and returns its type.
  template <class Body = int>
  Response call(Command command, const Body& body = {}, uint32_t ctx_id = 0, std::vector<std::byte> rest = {}) {
    return type_of(answer_to(send(request(command, body, ctx_id, {}, std::move(rest)))));
  }
  static Response type_of(const std::optional<std::vector<std::byte>>& answer);
  template <class Body>
  static Body body_of(const std::vector<std::byte>& answer) {
    Body body{};
    EXPECT_GE(answer.size(), sizeof(Header) + sizeof(Body));
    if (answer.size() >= sizeof(Header) + sizeof(Body)) std::memcpy(&body, answer.data() + sizeof(Header), sizeof body);
    return body;
  }
  // Shortcuts for what nearly every test needs.
  void create_context(uint32_t id);
  Response create_blob(uint32_t resource, uint32_t ctx, uint64_t size = 4096, uint64_t blob_id = 0);
  Response map(uint32_t resource, uint64_t offset);

  FakeMemory guest;
  DriverQueue control{guest, FakeMemory::kLow}, cursor{guest, FakeMemory::kLow + (1 << 16)};
  std::map<uint16_t, int> interrupts, broken;
  int config_changes = 0;
  std::map<uint64_t, uint64_t> window;  // what is mapped: offset → length
  int unmapped = 0;                     // how often something was taken away
  bool window_fails = false;
  bool window_later = false;  // keep what is asked for in window_done
  std::vector<std::function<void(bool)>> window_done;
  std::vector<FakeRenderer*> renderers;  // alive, in the order of their creation
  bool refuse_contexts = false;
  std::unique_ptr<Device> device;

 private:
  uint16_t next_slot_ = 0;
};

// A context as a test sees it.
struct FakeRenderer : Renderer {
  FakeRenderer(Machine& m, std::string n) : machine(m), name(std::move(n)) { machine.renderers.push_back(this); }
  ~FakeRenderer() override { std::erase(machine.renderers, this); }

  void create_blob(uint32_t id, const venus::BlobRequest& request, BlobDone done) override;
  void attach_resource(uint32_t id, int fd, uint64_t) override {
    EXPECT_GE(fd, 0);
    attached.push_back(id);
  }
  void unref_resource(uint32_t id) override { unrefs.push_back(id); }
  void submit(std::vector<std::byte> commands, std::function<void(bool)> done) override {
    submissions.push_back(std::move(commands));
    if (later) return unfinished.push_back([this, done = std::move(done)] { done(!poisoned); });
    done(!poisoned);
  }
  void submit_fence(uint32_t ring_idx, std::function<void()> done) override {
    if (ring_idx == 0 || poisoned) return done();
    fences[ring_idx].push_back(std::move(done));
  }
  // Writes into what blob `index` is to the guest.
  void fill_blob(size_t index, size_t offset, std::byte value, size_t count) {
    std::memset(memory.at(index).data() + offset, static_cast<int>(value), count);
  }
  void finish() {
    for (auto& finish : std::exchange(unfinished, {})) finish();
  }

  Machine& machine;
  std::string name;
  bool poisoned = false;
  bool later = false;      // blobs and submissions wait for finish()
  bool unmappable = false; // blobs have no descriptor
  std::vector<std::function<void()>> unfinished;
  std::vector<venus::BlobRequest> blobs;
  std::vector<platform::SharedMemory> memory;  // of those that were made
  std::vector<uint32_t> attached, unrefs;
  std::vector<std::vector<std::byte>> submissions;
  std::map<uint32_t, std::vector<std::function<void()>>> fences;
};

}  // namespace pvgpu::virtio_gpu::testing
