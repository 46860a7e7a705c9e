#include "frontends/vhost_user/window_channel.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "observe/log.h"

namespace pvgpu::frontends::vhost_user {
namespace {

// Makes any request's number one that no front-end knows, and leaves its first byte (both are little-endian machines' here).
constexpr uint32_t kNoRequest = 0x0100'0000;
static_assert(std::endian::native == std::endian::little);

}  // namespace

void WindowChannel::open(platform::UniqueFd socket, bool replies, bool shared_objects) {
  close();
  channel_.emplace(std::move(socket));
  replies_ = replies;
  shared_objects_ = shared_objects;
  notice_.emplace(channel_->fd());
  if (!notice_->valid() || !loop_.watch(notice_->fd(), [this] { send_waiting(); }) ||
      !loop_.watch(channel_->fd(), [this] { receive(); })) {
    LOG_ERROR("the front-end's channel for requests of ours cannot be watched: nothing can be mapped");
    close();
  }
}

void WindowChannel::close() {
  if (notice_) loop_.unwatch(notice_->fd());
  if (channel_) loop_.unwatch(channel_->fd());
  notice_.reset();
  channel_.reset();
  begun_ = false;
  files_.clear();
  // A callback may ask for more, which fails at once.
  for (const Done& done : std::exchange(unanswered_, {})) done(false);
  for (const Request& request : std::exchange(waiting_, {})) request.done(false);
}

void WindowChannel::map(uint8_t region_id, uint64_t offset, uint64_t length, int fd, uint64_t fd_offset, Done done) {
  Request request{BackendRequest::kShmemMap, {}, platform::duplicate(fd), std::move(done)};
  if (!request.fd.valid()) return request.done(false);
  request.body.region_id = region_id;
  request.body.fd_offset = fd_offset;
  request.body.window_offset = offset;
  request.body.length = length;
  request.body.flags = kShmemWritable;
  if (const auto file = platform::file_identity(fd)) files_[offset] = *file;
  if (!channel_ || !replies_ || !shared_objects_) return enqueue(std::move(request));
  // QEMU 11.1 answers first and maps then: a guest that is told of the answer may write to memory that is not there yet, and what
  // it writes is lost. QEMU looks at the next request once it has mapped, so the answer to that one tells. The request takes
  // away an object that nobody has: it changes nothing, and its own result means nothing.
  auto mapped = std::make_shared<bool>(false);
  Request confirmation{BackendRequest::kSharedObjectRemove, {}, {}, [mapped, done = std::move(request.done)](bool) { done(*mapped); }};
  request.done = [mapped](bool success) { *mapped = success; };
  enqueue(std::move(request));
  enqueue(std::move(confirmation));
}

void WindowChannel::unmap(uint8_t region_id, uint64_t offset, uint64_t length, Done done) {
  Request request{BackendRequest::kShmemUnmap, {}, {}, std::move(done)};
  request.body.region_id = region_id;
  request.body.window_offset = offset;
  request.body.length = length;
  files_.erase(offset);
  enqueue(std::move(request));
}

void WindowChannel::pause() {
  paused_ = true;
  withdraw();
}

void WindowChannel::resume() {
  paused_ = false;
  send_waiting();
}

void WindowChannel::tell_config_changed() {
  if (!channel_) return;
  const MessageHeader header{static_cast<uint32_t>(BackendRequest::kConfigChange), kVersion, 0};
  channel_->send(header, {});
}

bool WindowChannel::is_mapped(int fd) const {
  const auto file = platform::file_identity(fd);
  return file && std::ranges::any_of(files_, [&](const auto& entry) { return entry.second == *file; });
}

void WindowChannel::enqueue(Request request) {
  if (!channel_) return request.done(false);
  waiting_.push_back(std::move(request));
  send_waiting();
}

MessageHeader WindowChannel::header_of(const Request& request) const {
  const size_t bytes = request.kind == BackendRequest::kSharedObjectRemove ? sizeof(SharedObject) : sizeof request.body;
  return {static_cast<uint32_t>(request.kind), kVersion | (replies_ ? kFlagNeedReply : 0), static_cast<uint32_t>(bytes)};
}

// Whether the front-end has begun to read the request, which is the first of those that wait.
bool WindowChannel::begin(const Request& request) {
  if (!begun_) {
    const MessageHeader header = header_of(request);
    begun_ = channel_->send_part(std::as_bytes(std::span(&header, 1)).first(1), request.fd.get());
  }
  return notice_->all_read();
}

void WindowChannel::withdraw() {
  if (!std::exchange(begun_, false)) return;
  const MessageHeader header{static_cast<uint32_t>(waiting_.front().kind) | kNoRequest, kVersion, 0};
  channel_->send_part(std::as_bytes(std::span(&header, 1)).subspan(1));
}

void WindowChannel::send_waiting() {
  // The loop calls this for news of the channel even if nothing waits: they are taken.
  if (notice_) notice_->all_read();
  while (channel_ && !paused_ && !waiting_.empty() && unanswered_.size() < kMaxUnanswered) {
    const bool begun = waiting_.front().kind != BackendRequest::kSharedObjectRemove;  // the others find no device missing
    if (begun && !begin(waiting_.front())) return;
    begun_ = false;
    Request request = std::move(waiting_.front());
    waiting_.pop_front();
    LOG_TRACE("vhost-user: we request {}: {} bytes at {:#x}", static_cast<uint32_t>(request.kind), request.body.length, request.body.window_offset);
    const MessageHeader header = header_of(request);
    std::vector<std::byte> bytes(sizeof header + header.size);
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + sizeof header, &request.body, header.size);
    const bool sent = channel_->send_part(std::span(bytes).subspan(begun ? 1 : 0));
    if (sent && replies_) {
      unanswered_.push_back(std::move(request.done));
    } else {
      request.done(sent);
    }
  }
}

void WindowChannel::receive() {
  auto message = channel_->receive();
  if (!message || !*message) {
    if (!message) LOG_ERROR("the front-end sent on our channel {}", message.error());
    return close();
  }
  if (!((*message)->header.flags & kFlagReply) || unanswered_.empty()) {
    LOG_ERROR("the front-end sent on our channel an answer to nothing");
    return close();
  }
  uint64_t code = 1;
  if ((*message)->payload.size() == sizeof code) std::memcpy(&code, (*message)->payload.data(), sizeof code);
  LOG_TRACE("vhost-user: our request {} is answered with {}", (*message)->header.request, code);
  const Done done = std::move(unanswered_.front());
  unanswered_.pop_front();
  done(code == 0);
  send_waiting();
}

}  // namespace pvgpu::frontends::vhost_user
