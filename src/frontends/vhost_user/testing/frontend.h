// A front-end for tests, which does what QEMU does: negotiates, shares memory, sets queues up, rings, and serves the
// window. Every wait has the test's deadline.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "frontends/vhost_user/channel.h"
#include "platform/doorbell.h"
#include "platform/shared_memory.h"
#include "platform/unix_socket.h"
#include "virtio_gpu/protocol.h"

namespace pvgpu::frontends::vhost_user::testing {

inline constexpr int kDeadlineMs = 60'000;

inline bool wait_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, kDeadlineMs) == 1;
}

class Frontend {
 public:
  static constexpr uint64_t kGuestAddress = 0x4000'0000, kUserAddress = 0x7f00'0000'0000;
  static constexpr size_t kMemoryBytes = 1 << 20;
  static constexpr uint16_t kQueueSize = 8;

  explicit Frontend(platform::UniqueFd socket) : main_(std::move(socket)) {
    auto pair = platform::socket_pair();
    backend_end_ = std::move(pair->second);
    window_.emplace(std::move(pair->first));
  }

  // -- messages --
  void send(FrontendRequest request, std::span<const std::byte> payload, int fd = -1, bool need_reply = false) {
    const MessageHeader header{static_cast<uint32_t>(request), kVersion | (need_reply ? kFlagNeedReply : 0),
                               static_cast<uint32_t>(payload.size())};
    ASSERT_TRUE(main_.send(header, payload, fd));
  }
  template <class T>
  void send(FrontendRequest request, const T& payload, int fd = -1, bool need_reply = false) {
    send(request, std::as_bytes(std::span(&payload, 1)), fd, need_reply);
  }
  Message receive(Channel& channel) {
    if (wait_readable(channel.fd())) {
      auto message = channel.receive();
      if (message && *message) return std::move(**message);
    }
    ADD_FAILURE() << "no message came";
    return {};
  }
  template <class Reply, class T>
  Reply ask(FrontendRequest request, const T& payload, int fd = -1) {
    send(request, payload, fd);
    return reply<Reply>();
  }
  template <class Reply>
  Reply ask(FrontendRequest request) {
    send(request, std::span<const std::byte>());
    return reply<Reply>();
  }
  // Sends with the wish for a reply, and expects success.
  template <class T>
  void acknowledged(FrontendRequest request, const T& payload, int fd = -1) {
    send(request, payload, fd, true);
    EXPECT_EQ(reply<uint64_t>(), 0u);
  }
  template <class Reply>
  Reply reply() {
    Message message = receive(main_);
    EXPECT_TRUE(message.header.flags & kFlagReply);
    Reply value{};
    EXPECT_EQ(message.payload.size(), sizeof value);
    if (message.payload.size() == sizeof value) std::memcpy(&value, message.payload.data(), sizeof value);
    return value;
  }
  // True once the session has closed its end.
  bool closed() { return wait_readable(main_.fd()) && main_.receive().value_or(Message{}) == std::nullopt; }

  // -- the course of a start --
  void negotiate() {
    features_ = ask<uint64_t>(FrontendRequest::kGetFeatures);
    EXPECT_TRUE(features_ & kFeatureProtocol);
    protocol_features_ = ask<uint64_t>(FrontendRequest::kGetProtocolFeatures);
    send(FrontendRequest::kSetProtocolFeatures, protocol_features_);
    EXPECT_EQ(ask<uint64_t>(FrontendRequest::kGetQueueNum), 2u);
    EXPECT_GE(ask<uint64_t>(FrontendRequest::kGetMaxMemSlots), 32u);
    acknowledged(FrontendRequest::kSetBackendReqFd, uint64_t{0}, backend_end_.get());
    send(FrontendRequest::kSetOwner, std::span<const std::byte>());
  }
  void add_memory() {
    struct {
      uint64_t padding;
      MemoryRegion region;
    } one{0, {kGuestAddress, kMemoryBytes, kUserAddress, 0}};
    acknowledged(FrontendRequest::kAddMemReg, one, memory_.fd().get());
  }
  void start_queue(uint32_t index = 0, uint16_t base = 0) {
    const uint64_t at = kUserAddress + index * 0x10000;
    send(FrontendRequest::kSetVringNum, VringState{index, kQueueSize});
    send(FrontendRequest::kSetVringBase, VringState{index, base});
    send(FrontendRequest::kSetVringAddr, VringAddress{index, 0, at, at + 0x2000, at + 0x1000, 0});
    send(FrontendRequest::kSetVringCall, uint64_t{index}, call_.button().get());
    send(FrontendRequest::kSetVringErr, uint64_t{index}, error_.button().get());
    send(FrontendRequest::kSetVringKick, uint64_t{index}, kick_.fd().get());
    acknowledged(FrontendRequest::kSetVringEnable, VringState{index, 1});
  }
  void start() {
    negotiate();
    send(FrontendRequest::kSetFeatures, features());
    add_memory();
    start_queue();
  }

  // -- queue 0, as a driver has it --
  std::byte* at(size_t offset) { return memory_.data() + offset; }
  template <class Body>
  void put_request(virtio_gpu::Command command, const Body& body, uint32_t ctx_id = 0) {
    virtio_gpu::Header header{.type = static_cast<uint32_t>(command), .ctx_id = ctx_id};
    std::memcpy(at(0x40000), &header, sizeof header);
    std::memcpy(at(0x40000 + sizeof header), &body, sizeof body);
    struct {
      uint64_t address;
      uint32_t length;
      uint16_t flags, next;
    } descriptors[2] = {{kGuestAddress + 0x40000, sizeof header + sizeof body, 1, 1}, {kGuestAddress + 0x50000, 0x1000, 2, 0}};
    std::memcpy(at(0), descriptors, sizeof descriptors);
    const uint16_t head = 0;
    std::memcpy(at(0x1004 + 2 * (available_ % kQueueSize)), &head, sizeof head);
    available_++;
    std::atomic_ref(*reinterpret_cast<uint16_t*>(at(0x1002))).store(available_, std::memory_order_release);
  }
  // Waits for the device's interrupt, and returns the type of the answer.
  virtio_gpu::Response answer() {
    EXPECT_TRUE(wait_readable(call_.fd().get()));
    platform::answer_doorbell(call_.fd().get());
    EXPECT_EQ(std::atomic_ref(*reinterpret_cast<uint16_t*>(at(0x2002))).load(std::memory_order_acquire), available_);
    virtio_gpu::Header header;
    std::memcpy(&header, at(0x50000), sizeof header);
    return static_cast<virtio_gpu::Response>(header.type);
  }
  template <class Body>
  virtio_gpu::Response call(virtio_gpu::Command command, const Body& body, uint32_t ctx_id = 0) {
    put_request(command, body, ctx_id);
    platform::ring_doorbell(kick_.button().get());
    return answer();
  }

  // -- the window --
  Message window_request() { return receive(*window_); }
  // What the session asks after a mapping, to see that it is done, is answered too.
  void answer_window(const Message& request, uint64_t code) {
    EXPECT_TRUE(request.header.flags & kFlagNeedReply);
    const MessageHeader header{request.header.request, kVersion | kFlagReply, sizeof code};
    ASSERT_TRUE(window_->send(header, std::as_bytes(std::span(&code, 1))));
    if (request.header.request != static_cast<uint32_t>(BackendRequest::kShmemMap)) return;
    const Message next = window_request();
    EXPECT_EQ(next.header.request, static_cast<uint32_t>(BackendRequest::kSharedObjectRemove));
    answer_window(next, 1);
  }
  // Whether something is asked right now.
  bool window_asks() {
    pollfd entry{window_->fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
  }
  // The rings as a new driver makes them.
  void forget_queue() {
    std::memset(at(0), 0, 0x10000);
    available_ = 0;
  }
  void close() {
    main_ = Channel(platform::UniqueFd());
    window_.reset();
  }

  int kick_button() const { return kick_.button().get(); }
  int call_fd() const { return call_.fd().get(); }
  int error_fd() const { return error_.fd().get(); }
  const platform::UniqueFd& memory_fd() const { return memory_.fd(); }
  uint64_t protocol_features() const { return protocol_features_; }
  // What a driver accepts whose queues are split, and that wants an interrupt for every answer.
  uint64_t features() const {
    return features_ & ~(uint64_t{virtio_gpu::kFeatureRingPacked} | uint64_t{virtio_gpu::kFeatureEventIndex});
  }
  uint16_t available() const { return available_; }

 private:
  Channel main_;
  platform::UniqueFd backend_end_;
  std::optional<Channel> window_;
  platform::SharedMemory memory_ = *platform::SharedMemory::create(kMemoryBytes, "guest");
  platform::Doorbell kick_ = *platform::Doorbell::create(), call_ = *platform::Doorbell::create(),
                     error_ = *platform::Doorbell::create();
  uint64_t features_ = 0, protocol_features_ = 0;
  uint16_t available_ = 0;
};

}  // namespace pvgpu::frontends::vhost_user::testing
