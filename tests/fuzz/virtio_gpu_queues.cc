// What a virtio-gpu device meets from the worst of drivers: descriptors, rings and commands of any contents, in any order, with
// memory that goes, and a host whose answers come late, in any order, or never. The bytes of a run say what happens. A run fails
// by crashing, or when the device loses track: a place of the window mapped twice, taken away twice or kept, a descriptor kept,
// a buffer given back that it was not given.
#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "fuzz/input.h"
#include "fuzz/target.h"
#include "observe/log.h"
#include "platform/shared_memory.h"
#include "virtio_gpu/testing/driver.h"
#include "virtio_gpu/testing/sink.h"

namespace pvgpu::fuzz {
namespace {

using namespace virtio_gpu;
using virtio_gpu::testing::DriverQueue;
using virtio_gpu::testing::FakeMemory;
using virtio_gpu::testing::FakeSink;
using virtio_gpu::testing::PackedDriverQueue;
using virtio_gpu::testing::RawDescriptor;

constexpr uint64_t kWindowBytes = 1 << 20;
constexpr uint64_t kData = FakeMemory::kLow + 0x20000;
constexpr uint32_t kDataBytes = 0x40000;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

size_t open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  require(folder != nullptr, "cannot read /proc/self/fd");
  size_t count = 0;
  while (readdir(folder)) ++count;
  closedir(folder);
  return count;
}

// What the host owes answers for; they are given in any order.
using Owed = std::vector<std::function<void(bool)>>;

class FuzzRenderer : public Renderer {
 public:
  FuzzRenderer(std::shared_ptr<Owed> owed, const bool& late) : owed_(std::move(owed)), late_(late) {}
  ~FuzzRenderer() override { *alive_ = false; }

  void create_blob(uint32_t, const venus::BlobRequest& request, BlobDone done) override {
    answer([size = request.size, shared = request.blob_id % 4 != 3, plain = request.blob_id == 0, done = std::move(done)](bool success) {
      if (!success) return done(std::unexpected(venus::Poison{venus::PoisonReason::kBadMessage, "fuzz"}));
      if (!shared || size > kWindowBytes) return done(venus::BlobMemory{});
      auto memory = platform::SharedMemory::create(size, "fuzz");
      done(venus::BlobMemory{memory->fd().duplicate(), memory->size(), plain});
    });
  }
  void attach_resource(uint32_t, int fd, uint64_t) override { require(fd >= 0, "a resource without a descriptor is attached"); }
  void unref_resource(uint32_t) override {}
  void submit(std::vector<std::byte>, std::function<void(bool)> done) override { answer(std::move(done)); }
  void submit_fence(uint32_t, std::function<void()> done) override {
    answer([done = std::move(done)](bool) { done(); });
  }

 private:
  // Not after the renderer's end, as renderer.h has it.
  void answer(std::function<void(bool)> done) {
    if (!late_) return done(true);
    owed_->push_back([alive = alive_, done = std::move(done)](bool success) {
      if (*alive) done(success);
    });
  }

  std::shared_ptr<Owed> owed_;
  const bool& late_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Looks at all that it is shown.
class FuzzSink : public DisplaySink {
 public:
  static constexpr uint32_t kScanouts = 2;

  void show(uint32_t scanout, const Pixels& pixels, const Rect& damage) override {
    check(scanout);
    require(damage.width != 0 && damage.height != 0 && uint64_t{damage.x} + damage.width <= pixels.width &&
                uint64_t{damage.y} + damage.height <= pixels.height, "damage outside the picture");
    FakeSink::picture_of(pixels, damage);
  }
  void blank(uint32_t scanout) override { check(scanout); }
  void set_cursor(uint32_t scanout, const Cursor* cursor) override {
    check(scanout);
    if (cursor) FakeSink::picture_of(cursor->pixels, {});
  }
  void move_cursor(uint32_t scanout, int32_t, int32_t) override { check(scanout); }

 private:
  static void check(uint32_t scanout) { require(scanout < kScanouts, "no such scanout"); }
};

class Machine : public Transport {
 public:
  explicit Machine(Input& input) : input_(input) {
    ControlOptions options;
    options.window_bytes = kWindowBytes;
    options.max_contexts = 3;
    options.max_resources = 20;
    options.max_pages = 64;
    options.max_pixel_bytes = 1 << 20;
    options.displays = {{64, 48}, {640, 480}};
    options.display_sink = &sink_;
    options.make_renderer = [this](const std::string&) -> std::unique_ptr<Renderer> {
      if (refuses_contexts_) return nullptr;
      return std::make_unique<FuzzRenderer>(owed_, late_);
    };
    device_ = std::make_unique<Device>(std::move(options), *this);
    rough_ = input_.below(4) == 0;
    start();
  }
  ~Machine() override {
    device_.reset();
    // Whatever comes now finds nobody.
    for (const auto& answer : std::exchange(*owed_, {})) answer(true);
    require(std::ranges::all_of(window_, [this](const auto& range) { return failed_.contains(range.first); }),
            "a place of the window is kept after the device's end");
  }

  const GuestMemory& memory() const override { return guest_; }
  void interrupt(uint16_t queue) override { require(queue < kQueueCount, "an interrupt of no queue"); }
  void config_changed() override {}
  void queue_broken(uint16_t) override { broken_ = true; }
  void map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) override {
    require(memory.fd.valid() && memory.size >= length && length != 0 && offset % platform::page_size() == 0 && offset + length <= kWindowBytes, "a bad place");
    for (const auto& [at, bytes] : window_) require(at + bytes <= offset || offset + length <= at, "a place mapped twice");
    window_[offset] = length;
    owe([this, offset, done = std::move(done)](bool success) {
      if (!success) failed_.insert(offset);
      done(success);
    });
  }
  void unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) override {
    const auto found = window_.find(offset);
    require(found != window_.end() && found->second == length, "a place taken away that was not mapped");
    window_.erase(found);
    failed_.erase(offset);
    owe(std::move(done));
  }

  void step() {
    // A driver whose queue is broken has to start again; one that breaks its queues all the time gets no further.
    if (broken_ && input_.below(4) == 0) {
      device_->reset();
      start();
    }
    if (rough_ || input_.below(64) == 0) {
      switch (input_.below(8)) {
        case 0:
          return set_descriptor();
        case 1:
          return queue().make_available(static_cast<uint16_t>(input_.below(18)));
        case 2:
          return queue().set_available_index(input_.take<uint16_t>());
        case 3:
          return device_->kick(static_cast<uint16_t>(input_.below(3)));
        case 4:
          return change_the_host();
        case 5:
          return restart();
        case 6:
          return use_config();
        default:
          break;
      }
    }
    switch (input_.below(8)) {
      case 0:
        return answer_something();
      case 1:
        if (input_.below(4) == 0) late_ = !late_;
        return;
      default:
        return command();
    }
  }

 private:
  void owe(std::function<void(bool)> done) {
    if (!late_) return done(true);
    owed_->push_back(std::move(done));
  }
  DriverQueue& queue() { return input_.below(4) == 0 ? cursor_ : control_; }
  void start() {
    broken_ = false;
    packed_ = input_.below(4) == 0;
    device_->accept_features(device_->offered_features() & ~(packed_ ? uint64_t{0} : uint64_t{kFeatureRingPacked}));
    if (packed_) {
      packed_control_.emplace(guest_, FakeMemory::kLow);
      std::memset(guest_.at(FakeMemory::kLow), 0, QueueMemory::descriptor_bytes(PackedDriverQueue::kSize));
      device_->start_queue(kControlQueue, packed_control_->layout(), device_->initial_position());
      return;
    }
    device_->start_queue(kControlQueue, control_.layout(), 0);
    device_->start_queue(kCursorQueue, cursor_.layout(), 0);
    control_.set_available_index(0);
    cursor_.set_available_index(0);
  }
  uint64_t address() {
    switch (input_.below(8)) {
      case 0:
        return input_.take<uint64_t>();
      case 1:
        return FakeMemory::kHigh + input_.below(FakeMemory::kHighBytes + 64);
      default:
        return kData + input_.below(kDataBytes);
    }
  }
  uint32_t number() {
    static constexpr uint32_t kTelling[] = {0, 1, 2, 3, 4, 5, 16, 64, 67, 121, 4095, 4096, 8192, 65536, 0x7fffffff, 0xffffffff};
    return input_.below(8) == 0 ? input_.take<uint32_t>() : kTelling[input_.below(std::size(kTelling))];
  }
  void set_descriptor() {
    const uint32_t length = input_.below(4) == 0 ? number() : input_.below(256);
    const auto flags = static_cast<uint16_t>(input_.below(8) == 0 ? input_.take<uint16_t>() : input_.below(8));
    queue().set_descriptor(static_cast<uint16_t>(input_.below(DriverQueue::kSize)),
                           {address(), length, flags, static_cast<uint16_t>(input_.below(18))});
  }
  void answer_something() {
    if (owed_->empty()) return;
    const auto at = owed_->begin() + static_cast<ptrdiff_t>(input_.below(static_cast<uint32_t>(owed_->size())));
    auto answer = std::move(*at);
    owed_->erase(at);
    answer(input_.below(4) != 0);
  }
  void change_the_host() {
    switch (input_.below(8)) {
      case 0:
        if (input_.below(8) == 0) guest_.unplug();
        return;
      case 1:
        refuses_contexts_ = !refuses_contexts_;
        return;
      case 2: {  // the guest writes while the device looks
        std::byte* at = guest_.at(FakeMemory::kLow + input_.below(0x20000));
        *at = input_.take<std::byte>();
        return;
      }
      default:
        late_ = !late_;
    }
  }
  void restart() {
    switch (input_.below(8)) {
      case 0:
        device_->reset();
        return start();
      case 1: {
        const auto index = static_cast<uint16_t>(input_.below(3));
        const uint32_t next = device_->stop_queue(index);
        if (index < kQueueCount && input_.below(4) != 0)
          device_->start_queue(index, packed_ ? packed_control_->layout() : (index == kControlQueue ? control_ : cursor_).layout(), next);
        return;
      }
      case 2: {
        QueueMemory layout = control_.layout();
        layout.size = input_.take<uint16_t>();
        layout.used = guest_.find(address(), input_.below(512));
        device_->start_queue(kControlQueue, std::move(layout), input_.take<uint16_t>());
        return;
      }
      default:
        return;
    }
  }
  void use_config() {
    std::vector<std::byte> bytes(input_.below(40));
    device_->read_config(number(), bytes);
    device_->write_config(input_.below(32), bytes);
  }
  // A request as a driver would send it, of a command that is known for the most part, and a little wrong.
  void command() {
    // Those that others build on come more often.
    static constexpr Command kCommands[] = {
        Command::kCtxCreate, Command::kCtxCreate, Command::kCtxDestroy, Command::kCtxAttachResource, Command::kCtxDetachResource,
        Command::kSubmit3d, Command::kResourceCreateBlob, Command::kResourceCreateBlob, Command::kResourceCreateBlob,
        Command::kResourceMapBlob, Command::kResourceMapBlob, Command::kResourceMapBlob, Command::kResourceUnmapBlob,
        Command::kResourceUnref, Command::kResourceCreate2d, Command::kResourceCreate2d, Command::kResourceAttachBacking,
        Command::kResourceDetachBacking, Command::kTransferToHost2d, Command::kResourceFlush, Command::kSetScanout,
        Command::kSetScanoutBlob, Command::kGetDisplayInfo, Command::kGetEdid, Command::kGetCapsetInfo, Command::kGetCapset,
        Command::kResourceAssignUuid, Command::kUpdateCursor, Command::kMoveCursor};
    Header header{};
    header.type = input_.below(16) == 0 ? input_.take<uint32_t>() : static_cast<uint32_t>(kCommands[input_.below(std::size(kCommands))]);
    header.flags = input_.below(4);
    header.fence_id = input_.below(100);
    header.ctx_id = 1 + input_.below(input_.below(8) == 0 ? 5 : 2);
    header.ring_idx = static_cast<uint8_t>(input_.below(70));
    std::vector<std::byte> request;
    append(request, header);
    switch (static_cast<Command>(header.type)) {
      case Command::kResourceCreateBlob: {
        const uint32_t entries = input_.below(4);
        append(request, ResourceCreateBlob{1 + input_.below(4), input_.below(4) == 0 ? input_.below(5) : kBlobMemHost3d,
                                           input_.below(8), entries, input_.below(6), uint64_t{4096} * input_.below(8)});
        for (uint32_t i = 0; i < entries; ++i) append(request, MemEntry{address(), 4096, 0});
        break;
      }
      case Command::kResourceMapBlob:
        append(request, ResourceMapBlob{1 + input_.below(4), 0, uint64_t{4096} * input_.below(input_.below(4) == 0 ? 260 : 10)});
        break;
      case Command::kCtxCreate:
        append(request, CtxCreate{input_.below(80), venus::kCapsetId, "fuzz"});
        break;
      case Command::kResourceCreate2d:
        append(request, ResourceCreate2d{1 + input_.below(4), input_.below(4) == 0 ? input_.below(140) : 1 + input_.below(4),
                                         input_.below(2) == 0 ? 64 : 1 + input_.below(64), input_.below(2) == 0 ? 64 : 1 + input_.below(64)});
        break;
      case Command::kResourceAttachBacking: {
        const uint32_t entries = input_.below(5);
        append(request, ResourceAttachBacking{1 + input_.below(4), entries});
        for (uint32_t i = 0; i < entries; ++i) append(request, MemEntry{address(), input_.below(20000), 0});
        break;
      }
      case Command::kTransferToHost2d:
        append(request, TransferToHost2d{rectangle(), input_.below(20000), 1 + input_.below(4), 0});
        break;
      case Command::kSetScanout:
        append(request, SetScanout{rectangle(), input_.below(3), input_.below(5)});
        break;
      case Command::kSetScanoutBlob:
        append(request, SetScanoutBlob{rectangle(), input_.below(3), input_.below(5), input_.below(40), input_.below(40),
                                       input_.below(4) == 0 ? input_.below(140) : 1 + input_.below(4), 0, {input_.below(300)}, {input_.below(4096)}});
        break;
      case Command::kUpdateCursor:
      case Command::kMoveCursor:
        append(request, UpdateCursor{input_.below(3), number(), number(), 0, input_.below(5), input_.below(70), input_.below(70), 0});
        break;
      case Command::kResourceFlush:
        append(request, ResourceFlush{rectangle(), 1 + input_.below(4), 0});
        break;
      default:
        append(request, ResourceId{1 + input_.below(4), 0});
        request.resize(request.size() + input_.below(3) * size_t{32});
        break;
    }
    if (input_.below(12) == 0)  // somewhere, something else
      for (uint32_t i = 0, n = 1 + input_.below(3); i < n; ++i) {
        const uint32_t value = number();
        const size_t at = sizeof header + input_.below(64) / 4 * 4;
        if (request.size() < at + 4) request.resize(at + 4);
        std::memcpy(request.data() + at, &value, 4);
      }
    if (input_.below(32) == 0) request.resize(input_.below(static_cast<uint32_t>(request.size())));
    const bool cursor = header.type == static_cast<uint32_t>(Command::kUpdateCursor) ||
                        header.type == static_cast<uint32_t>(Command::kMoveCursor);
    send(cursor == (input_.below(32) != 0) ? cursor_ : control_, request);
  }
  Rect rectangle() {
    if (input_.below(8) == 0) return {number(), number(), number(), number()};
    return {input_.below(32), input_.below(32), input_.below(40), input_.below(40)};
  }
  template <class T>
  static void append(std::vector<std::byte>& bytes, const T& value) {
    const auto raw = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  }
  void send(DriverQueue& rings, const std::vector<std::byte>& request) {
    const auto head = static_cast<uint16_t>(input_.below(DriverQueue::kSize / 2) * 2);
    const uint64_t at = kData + head * 4096ull;
    std::memcpy(guest_.at(at), request.data(), request.size());
    if (packed_) {
      packed_control_->make_available(head, {{at, static_cast<uint32_t>(request.size()), 0, 0},
                                             {at + 4096, input_.below(2000), virtio_gpu::testing::kWrite, 0}});
      return device_->kick(kControlQueue);
    }
    rings.set_descriptor(head, {at, static_cast<uint32_t>(request.size()), virtio_gpu::testing::kNext, static_cast<uint16_t>(head + 1)});
    rings.set_descriptor(static_cast<uint16_t>(head + 1), {at + 4096, input_.below(2000), virtio_gpu::testing::kWrite, 0});
    rings.make_available(head);
    device_->kick(&rings == &control_ ? kControlQueue : kCursorQueue);
  }

  Input& input_;
  FuzzSink sink_;
  FakeMemory guest_;
  bool packed_ = false;
  std::optional<PackedDriverQueue> packed_control_;
  DriverQueue control_{guest_, FakeMemory::kLow}, cursor_{guest_, FakeMemory::kLow + (1 << 16)};
  std::shared_ptr<Owed> owed_ = std::make_shared<Owed>();
  std::map<uint64_t, uint64_t> window_;  // offset → length of what is asked to be mapped
  std::set<uint64_t> failed_;            // of those, where mapping failed
  bool rough_ = false, broken_ = false;
  bool late_ = false, refuses_contexts_ = false;
  std::unique_ptr<Device> device_;
};

}  // namespace

void run(std::span<const std::byte> bytes) {
  static const bool quiet = (observe::set_level(observe::Level::kOff), true);
  static_cast<void>(quiet);
  const size_t before = open_descriptors();  // libFuzzer opens some between runs, for its symbolizer
  {
    Input input(bytes);
    Machine machine(input);
    while (!input.empty()) machine.step();
  }
  require(open_descriptors() == before, "a descriptor is kept after the device's end");
}

}  // namespace pvgpu::fuzz
