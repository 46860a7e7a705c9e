#include "frontends/server/context_worker.h"

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "frontends/server/context_messages.h"
#include "observe/latency.h"
#include "observe/log.h"
#include "platform/packet_socket.h"
#include "platform/shared_memory.h"
#include "venus/context.h"

namespace pvgpu::frontends::server {
namespace {

class Worker {
 public:
  Worker(host::Host& host, platform::UniqueFd socket, const std::string& name, const Observation& observation)
      : socket_(std::move(socket)), context_(venus::Context::create(host, context_options(name, observation))) {}

  ClientEnd serve() {
    while (auto request = receive()) {
      if (!handle(*request)) {
        LOG_ERROR("a request of kind {} that cannot be read", static_cast<uint32_t>(request->message.kind));
        return ClientEnd::kPoisoned;
      }
    }
    return context_->poisoned() ? ClientEnd::kPoisoned : ClientEnd::kClosed;
  }

 private:
  venus::Context::Options context_options(const std::string& name, const Observation& observation) {
    venus::Context::Options options{.name = name,
                                    .stand_ins = false,
                                    .arrivals = socket_.get(),
                                    .on_ring = [this](const venus::RingStatus& ring) { tell(ring); }};
    if (!observation.latency.empty()) options.latency = std::make_shared<observe::LatencyReport>(observation.latency, name);
    return options;
  }

  struct Received {
    ContextRequest message;
    std::span<const std::byte> tail;  // of buffer_
    platform::UniqueFd descriptor;
  };

  std::optional<Received> receive() {
    auto packet = platform::receive_packet(socket_.get(), buffer_);
    if (!packet || packet->size < sizeof(ContextRequest)) return std::nullopt;
    Received received{{}, std::span(buffer_).first(packet->size).subspan(sizeof(ContextRequest)), std::move(packet->descriptor)};
    std::memcpy(&received.message, buffer_.data(), sizeof received.message);
    return received;
  }

  bool handle(Received& request) {
    const ContextRequest& message = request.message;
    switch (message.kind) {
      case ContextRequestKind::kCreateBlob: {
        auto memory = context_->create_blob(message.id, {message.flags, message.blob_id, message.size});
        if (!memory) return answer(false);
        send({.kind = ContextEventKind::kAnswer, .success = 1, .size = memory->size, .cached = memory->cached},
             memory->fd.get());
        return true;
      }
      case ContextRequestKind::kAttachResource:
        return answer(context_->attach_resource(message.id, std::move(request.descriptor), message.size).has_value());
      case ContextRequestKind::kUnrefResource:
        context_->unref_resource(message.id);
        return answer(true);
      case ContextRequestKind::kSubmit:
        return submit(request);
      case ContextRequestKind::kFence:
        // A poisoned context completes it too.
        (void)context_->submit_fence(message.id, [this, number = message.blob_id] {
          send({.kind = ContextEventKind::kFence, .number = number});
        });
        return answer(true);
    }
    return false;
  }

  bool submit(const Received& request) {
    if (!request.descriptor.valid()) {
      if (request.tail.size() != request.message.size) return false;
      return answer(context_->submit(request.tail).has_value());
    }
    auto commands = platform::read_file(request.descriptor.get());
    if (!commands || commands->size() != request.message.size) return false;
    return answer(context_->submit(std::as_bytes(std::span(*commands))).has_value());
  }

  bool answer(bool success) {
    send({.kind = ContextEventKind::kAnswer, .success = success});
    return true;
  }
  void tell(const venus::RingStatus& ring) {
    send({.kind = ContextEventKind::kRing, .number = ring.ring, .size = ring.offset}, ring.fd);
  }
  // Any thread. That the other side is gone shows at the next receive.
  void send(const ContextEvent& event, int descriptor = -1) {
    platform::send_packet(socket_.get(), std::as_bytes(std::span(&event, 1)), {}, descriptor, platform::Blocking::kYes);
  }

  platform::UniqueFd socket_;
  alignas(8) std::array<std::byte, sizeof(ContextRequest) + kMaxInlineCommands> buffer_;
  std::unique_ptr<venus::Context> context_;
};

}  // namespace

ClientEnd serve_context(host::Host& host, platform::UniqueFd socket, const std::string& name, const Observation& observation) {
  return Worker(host, std::move(socket), name, observation).serve();
}

}  // namespace pvgpu::frontends::server
