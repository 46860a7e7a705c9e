#include "frontends/server/context_process.h"

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "frontends/server/context_messages.h"
#include "observe/log.h"
#include "platform/packet_socket.h"
#include "platform/shared_memory.h"

namespace pvgpu::frontends::server {

using venus::Poison;
using venus::PoisonReason;

// Shows FATAL in a ring whose own process can no longer do that.
void mark_fatal(int fd, uint64_t offset) {
  const uint64_t page = offset / platform::page_size() * platform::page_size();
  const size_t inside = static_cast<size_t>(offset - page);
  if (offset % sizeof(uint32_t) != 0 || offset > INT64_MAX - sizeof(uint32_t) ||
      !platform::is_safe_to_map(fd, offset + sizeof(uint32_t)))
    return;
  void* memory = ::mmap(nullptr, inside + sizeof(uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(page));
  if (memory == MAP_FAILED) return;
  auto& word = *reinterpret_cast<uint32_t*>(static_cast<std::byte*>(memory) + inside);
  // seq_cst: as venus::Ring does it; the guest polls the word.
  std::atomic_ref(word).fetch_or(venus::kRingStatusFatal, std::memory_order_seq_cst);
  ::munmap(memory, inside + sizeof(uint32_t));
}

class ProcessRenderer : public virtio_gpu::Renderer {
 public:
  ProcessRenderer(ContextProcesses& processes, std::string name, platform::ChildProcess process, platform::UniqueFd socket)
      : processes_(processes), name_(std::move(name)), process_(std::move(process)), socket_(std::move(socket)) {
    processes_.running_++;
    processes_.loop_.watch(socket_.get(), [this] { receive(); });
  }
  ~ProcessRenderer() override {
    processes_.running_--;
    processes_.loop_.unwatch(socket_.get());
    socket_.reset();  // what tells the worker to end
    processes_.end_later(std::move(process_), std::move(name_));
  }

  void create_blob(uint32_t resource_id, const venus::BlobRequest& blob, BlobDone done) override {
    request({{.kind = ContextRequestKind::kCreateBlob, .id = resource_id, .blob_id = blob.blob_id, .size = blob.size, .flags = blob.flags},
             {}, {}, [done = std::move(done)](const ContextEvent* event, platform::UniqueFd fd) {
               if (!event || !event->success)
                 return done(std::unexpected(Poison{PoisonReason::kHostFailure, "the context is stopped"}));
               if (fd.valid() && !platform::is_safe_to_map(fd.get(), event->size)) fd.reset();
               done(venus::BlobMemory{std::move(fd), event->size, event->cached != 0});
             }});
  }
  void attach_resource(uint32_t resource_id, int fd, uint64_t size) override {
    request({{.kind = ContextRequestKind::kAttachResource, .id = resource_id, .size = size}, platform::duplicate(fd), {}, {}});
  }
  void unref_resource(uint32_t resource_id) override {
    request({{.kind = ContextRequestKind::kUnrefResource, .id = resource_id}, {}, {}, {}});
  }
  void submit(std::vector<std::byte> commands, std::function<void(bool)> done) override {
    const auto answered = [done](const ContextEvent* event, platform::UniqueFd) { done(event && event->success); };
    const ContextRequest message{.kind = ContextRequestKind::kSubmit, .size = commands.size()};
    if (commands.size() <= kMaxInlineCommands) return request({message, {}, std::move(commands), answered});
    const std::string_view text(reinterpret_cast<const char*>(commands.data()), commands.size());
    auto file = platform::sealed_file(text, "pvgpu-commands");
    if (!file) {
      LOG_ERROR("{}: {}", name_, file.error().what);
      return done(false);
    }
    request({message, std::move(*file), {}, answered});
  }
  void submit_fence(uint32_t ring_idx, std::function<void()> done) override {
    if (!socket_open_) return done();
    fences_[++last_fence_] = std::move(done);
    request({{.kind = ContextRequestKind::kFence, .id = ring_idx, .blob_id = last_fence_}, {}, {}, {}});
  }

 private:
  using Answered = std::function<void(const ContextEvent*, platform::UniqueFd)>;
  struct Outgoing {
    ContextRequest message;
    platform::UniqueFd descriptor;
    std::vector<std::byte> tail;
    Answered answered;  // with nullptr if there will be no answer; may be empty
  };
  struct RingWord {
    platform::UniqueFd fd;
    uint64_t offset;
  };

  void request(Outgoing outgoing) {
    if (!socket_open_) {
      if (outgoing.answered) outgoing.answered(nullptr, {});
      return;
    }
    waiting_.push_back(std::move(outgoing));
    send_waiting();
  }

  void send_waiting() {
    while (!waiting_.empty() && unanswered_.size() < kMaxUnansweredRequests && socket_open_) {
      Outgoing next = std::move(waiting_.front());
      waiting_.pop_front();
      unanswered_.push_back(std::move(next.answered));
      const bool sent = platform::send_packet(socket_.get(), std::as_bytes(std::span(&next.message, 1)), next.tail,
                                              next.descriptor.get(), platform::Blocking::kNo);
      if (!sent && errno == EAGAIN) {
        LOG_ERROR("the worker of {} does not read what it is sent; it is killed", name_);
        process_.kill(SIGKILL);
      }
      if (!sent) return lose();
    }
  }

  void receive() {
    ContextEvent event;
    auto packet = platform::receive_packet(socket_.get(), std::as_writable_bytes(std::span(&event, 1)));
    if (!packet || packet->size != sizeof event) return lose();
    switch (event.kind) {
      case ContextEventKind::kAnswer: {
        if (unanswered_.empty()) return lose();
        const Answered answered = std::move(unanswered_.front());
        unanswered_.pop_front();
        if (answered) answered(&event, std::move(packet->descriptor));
        return send_waiting();
      }
      case ContextEventKind::kFence: {
        const auto found = fences_.find(event.number);
        if (found == fences_.end()) return;
        const auto done = std::move(found->second);
        fences_.erase(found);
        return done();
      }
      case ContextEventKind::kRing:
        rings_.erase(event.number);
        if (packet->descriptor.valid() && rings_.size() < kMaxRings)
          rings_.emplace(event.number, RingWord{std::move(packet->descriptor), event.size});
        return;
    }
    lose();
  }

  // The worker has ended, or might as well have: whatever is asked of the context from now on fails.
  void lose() {
    if (!socket_open_) return;
    socket_open_ = false;
    processes_.loop_.unwatch(socket_.get());
    const auto status = process_.wait_for(std::chrono::milliseconds(200));
    LOG_ERROR("the worker of {} ended ({}): that process of the guest loses its device, nothing else is affected", name_,
              status ? status->describe() : "it does not answer");
    for (const auto& [id, ring] : rings_) mark_fatal(ring.fd.get(), ring.offset);
    rings_.clear();
    auto fences = std::exchange(fences_, {});
    auto unanswered = std::exchange(unanswered_, {});
    auto waiting = std::exchange(waiting_, {});
    for (const Answered& answered : unanswered)
      if (answered) answered(nullptr, {});
    for (const Outgoing& outgoing : waiting)
      if (outgoing.answered) outgoing.answered(nullptr, {});
    for (const auto& [number, done] : fences) done();
  }

  static constexpr size_t kMaxRings = 256;  // as many as a context may have

  ContextProcesses& processes_;
  std::string name_;
  platform::ChildProcess process_;
  platform::UniqueFd socket_;
  bool socket_open_ = true;
  std::deque<Outgoing> waiting_;
  std::deque<Answered> unanswered_;
  std::map<uint64_t, std::function<void()>> fences_;
  uint64_t last_fence_ = 0;
  std::map<uint64_t, RingWord> rings_;
};

ContextProcesses::ContextProcesses(platform::EventLoop& loop, Spawn spawn, const Options& options)
    : loop_(loop), spawn_(std::move(spawn)), options_(options) {}

ContextProcesses::~ContextProcesses() {
  for (Ending& ending : ending_) loop_.unwatch(ending.process.exit_fd().get());
}

virtio_gpu::RendererFactory ContextProcesses::renderers() {
  return [this](const std::string& name) -> std::unique_ptr<virtio_gpu::Renderer> {
    if (running_ + ending_.size() >= options_.max_processes) {
      LOG_ERROR("{} is refused: {} processes of this virtual machine are served already", name, running_ + ending_.size());
      return nullptr;
    }
    auto pair = platform::packet_socket_pair();
    if (!pair) {
      LOG_ERROR("{} is refused: {}", name, pair.error().what);
      return nullptr;
    }
    auto process = spawn_(name, std::move(pair->second));
    if (!process) {
      LOG_ERROR("{} is refused: {}", name, process.error().what);
      return nullptr;
    }
    LOG_INFO("{}: worker {}", name, process->pid());
    return std::make_unique<ProcessRenderer>(*this, name, std::move(*process), std::move(pair->first));
  };
}

void ContextProcesses::end_later(platform::ChildProcess process, std::string name) {
  if (process.poll()) return;
  ending_.push_back({std::move(process), std::move(name)});
  const auto ending = std::prev(ending_.end());
  const pid_t pid = ending->process.pid();
  loop_.watch(ending->process.exit_fd().get(), [this, ending] { reap(ending); });
  loop_.call_after(options_.grace, [this, pid, alive = std::weak_ptr<char>(alive_)] {
    if (alive.expired()) return;
    for (Ending& late : ending_) {
      if (late.process.pid() != pid || late.process.poll()) continue;
      LOG_WARN("the worker {} of {} did not end in time; it is killed", pid, late.name);
      late.process.kill(SIGKILL);
    }
  });
}

void ContextProcesses::reap(std::list<Ending>::iterator ending) {
  const auto status = ending->process.poll();
  if (!status) return;
  if (status->signal != 0 && status->signal != SIGKILL)
    LOG_ERROR("the worker {} of {} ended with {}", ending->process.pid(), ending->name, status->describe());
  loop_.unwatch(ending->process.exit_fd().get());
  ending_.erase(ending);
  if (waiting_ && ending_.empty()) loop_.stop();
}

void ContextProcesses::wait_for_ending(std::chrono::milliseconds grace) {
  if (ending_.empty()) return;
  waiting_ = true;
  loop_.call_after(grace, [this, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired() && waiting_) loop_.stop();
  });
  loop_.run();
  waiting_ = false;
}

}  // namespace pvgpu::frontends::server
