#include "frontends/vtest/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "observe/log_line.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::vtest {
namespace {

using venus::Poison;
using venus::PoisonReason;

constexpr size_t kMaxShownName = 64;

std::unexpected<Poison> poison(PoisonReason reason, std::string detail) {
  return std::unexpected(Poison{reason, std::move(detail)});
}

uint32_t low_word(uint64_t value) {
  return static_cast<uint32_t>(value);
}
uint32_t high_word(uint64_t value) {
  return static_cast<uint32_t>(value >> 32);
}

}  // namespace

Session::Session(platform::UniqueFd socket, Options options)
    : socket_(std::move(socket)), options_(std::move(options)), stream_(socket_.get()) {}

Session::~Session() = default;

std::optional<Poison> Session::run() {
  Done done = serve();
  if (done) return std::nullopt;
  platform::send_if_possible(socket_.get(), std::as_bytes(std::span(kFarewell)));
  return done.error();
}

bool Session::renderer_poisoned() const {
  return renderer_ && renderer_->poisoned().has_value();
}

Session::Done Session::serve() {
  while (!gone_) {
    auto message = stream_.next();
    if (!message) return std::unexpected(message.error());
    if (!*message) return {};
    // A ring of the context may have found a mistake meanwhile.
    if (renderer_) {
      if (auto stopped = renderer_->poisoned()) return std::unexpected(*stopped);
    }
    auto request = parse((*message)->header, (*message)->payload);
    if (!request) return std::unexpected(request.error());
    Done done = std::visit([this](const auto& value) { return handle(value); }, *request);
    if (!done) return done;
  }
  return {};
}

Session::Done Session::handle(const CreateRenderer& request) {
  if (named_) return poison(PoisonReason::kBadMessage, "CREATE_RENDERER: sent twice");
  named_ = true;
  if (!request.name.empty()) name_ = observe::printable(request.name.substr(0, kMaxShownName));
  if (options_.on_name) options_.on_name(name_);
  return {};
}

Session::Done Session::handle(const PingProtocolVersion&) {
  reply(CommandId::kPingProtocolVersion, {});
  return {};
}

Session::Done Session::handle(const ResourceBusyWait&) {
  reply(CommandId::kResourceBusyWait, {0});
  return {};
}

Session::Done Session::handle(const ProtocolVersion& request) {
  reply(CommandId::kProtocolVersion, {std::min(request.version, kProtocolVersion)});
  return {};
}

Session::Done Session::handle(const GetParam& request) {
  bool known = request.param == kParamMaxTimelineCount;
  reply(CommandId::kGetParam, {known ? 1u : 0u, known ? kMaxTimelines : 0u});
  return {};
}

Session::Done Session::handle(const GetCapset& request) {
  if (request.id != venus::kCapsetId || request.version != 0) {
    reply(CommandId::kGetCapset, {0});
    return {};
  }
  constexpr size_t kCapsetWords = venus::kCapsetBytes / sizeof(uint32_t);
  std::array<uint32_t, 3 + kCapsetWords> words = {1 + kCapsetWords,
                                                  static_cast<uint32_t>(CommandId::kGetCapset), 1};
  std::memcpy(&words[3], options_.capset.data(), options_.capset.size());
  capset_read_ = true;
  send_words(words);
  return {};
}

Session::Done Session::handle(const ContextInit& request) {
  if (request.capset_id != venus::kCapsetId) {
    return poison(PoisonReason::kBadMessage,
                  fmt::format("CONTEXT_INIT: capset {} is not Venus", request.capset_id));
  }
  if (renderer_) return poison(PoisonReason::kBadMessage, "CONTEXT_INIT: sent twice");
  renderer_ = options_.make_renderer(name_);
  return {};
}

Session::Done Session::require_context(const char* command) const {
  if (renderer_) return {};
  return poison(PoisonReason::kBadMessage, fmt::format("{}: before CONTEXT_INIT", command));
}

Session::Done Session::handle(const ResourceCreateBlob& request) {
  if (Done context = require_context("RESOURCE_CREATE_BLOB"); !context) return context;
  // Ids are not used twice: the guest may unreference one while a ring still works with it.
  if (resources_.size() >= kMaxResources || last_resource_id_ == UINT32_MAX) {
    return poison(PoisonReason::kLimitExceeded,
                  fmt::format("more than {} resources", kMaxResources));
  }
  uint32_t id = ++last_resource_id_;
  auto memory = renderer_->create_blob(id, request.request);
  if (!memory) return std::unexpected(memory.error());
  resources_.insert(id);
  reply(CommandId::kResourceCreateBlob, {id});
  send_fd(memory->fd.get());
  return {};
}

Session::Done Session::handle(const ResourceUnref& request) {
  if (Done context = require_context("RESOURCE_UNREF"); !context) return context;
  if (resources_.erase(request.resource_id) == 0) {
    return poison(PoisonReason::kUnknownResource,
                  fmt::format("RESOURCE_UNREF: resource {}", request.resource_id));
  }
  renderer_->unref_resource(request.resource_id);
  return {};
}

Session::Done Session::handle(const SyncCreate& request) {
  auto id = syncs_->create(request.value);
  if (!id) return std::unexpected(id.error());
  reply(CommandId::kSyncCreate, {*id});
  return {};
}

Session::Done Session::handle(const SyncUnref& request) {
  return syncs_->unref(request.id);
}

Session::Done Session::handle(const SyncRead& request) {
  auto value = syncs_->read(request.id);
  if (!value) return std::unexpected(value.error());
  reply(CommandId::kSyncRead, {low_word(*value), high_word(*value)});
  return {};
}

Session::Done Session::handle(const SyncWrite& request) {
  return syncs_->write(request.point);
}

Session::Done Session::handle(const SyncWait& request) {
  auto descriptor = syncs_->wait(request);
  if (!descriptor) return std::unexpected(descriptor.error());
  reply(CommandId::kSyncWait, {});
  send_fd(descriptor->get());
  return {};
}

Session::Done Session::handle(const SubmitCmd2& request) {
  if (Done context = require_context("SUBMIT_CMD2"); !context) return context;
  submitted_ = true;
  auto targets = syncs_->resolve(request.syncs);
  if (!targets) return std::unexpected(targets.error());
  if (!request.commands.empty()) {
    if (Done done = renderer_->submit(request.commands); !done) return done;
  }
  if (targets->empty()) return {};
  return renderer_->submit_fence(request.ring_idx, [syncs = syncs_, targets = std::move(*targets)] {
    syncs->signal(targets);
  });
}

void Session::reply(CommandId id, std::initializer_list<uint32_t> words) {
  std::array<uint32_t, 8> message{static_cast<uint32_t>(words.size()), static_cast<uint32_t>(id)};
  std::ranges::copy(words, message.begin() + 2);
  send_words(std::span(message).first(2 + words.size()));
}

void Session::send_words(std::span<const uint32_t> words) {
  if (!platform::send_all(socket_.get(), std::as_bytes(words))) gone_ = true;
}

void Session::send_fd(int fd) {
  if (!gone_ && !platform::send_descriptor(socket_.get(), fd)) gone_ = true;
}

}  // namespace pvgpu::frontends::vtest
