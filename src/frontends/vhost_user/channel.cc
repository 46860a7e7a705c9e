#include "frontends/vhost_user/channel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>
#include <vector>

#include "platform/descriptor_message.h"
#include "platform/descriptors.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::vhost_user {
namespace {

constexpr size_t kMaxDescriptors = kMaxTableRegions;

}  // namespace

std::expected<std::optional<Message>, std::string> Channel::receive() {
  Message message;
  auto* at = reinterpret_cast<std::byte*>(&message.header);
  size_t missing = sizeof message.header;
  // Descriptors come with the first bytes of a message.
  while (missing > 0) {
    iovec data{at, missing};
    alignas(cmsghdr) char control[CMSG_SPACE(kMaxDescriptors * sizeof(int))];
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t received = platform::receive_message(socket_.get(), header);
    if (received == 0 && missing == sizeof message.header) return std::nullopt;
    if (received < 0 && errno == ECONNRESET) return std::nullopt;
    if (received <= 0) return std::unexpected(std::string("a message that is cut off"));
    platform::for_each_descriptor(header, [&](int descriptor) { message.descriptors.emplace_back(descriptor); });
    if (header.msg_flags & MSG_CTRUNC) return std::unexpected(std::string("more descriptors than a message may have, or than this process may open"));
    at += received;
    missing -= static_cast<size_t>(received);
  }
  if ((message.header.flags & kVersionMask) != kVersion)
    return std::unexpected(fmt::format("a message of protocol version {}", message.header.flags & kVersionMask));
  if (message.header.size > kMaxPayload)
    return std::unexpected(fmt::format("request {} with {} bytes", message.header.request, message.header.size));
  message.payload.resize(message.header.size);
  if (!platform::receive_exactly(socket_.get(), message.payload))
    return std::unexpected(std::string("a message that is cut off"));
  return message;
}

bool Channel::send(const MessageHeader& header, std::span<const std::byte> payload, int descriptor) {
  std::vector<std::byte> bytes(sizeof header + payload.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  if (!payload.empty()) std::memcpy(bytes.data() + sizeof header, payload.data(), payload.size());
  return send_part(bytes, descriptor);
}

bool Channel::send_part(std::span<const std::byte> bytes, int descriptor) {
  if (descriptor < 0) return platform::send_all(socket_.get(), bytes);
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  platform::DescriptorMessage carried;
  carried.attach(message, descriptor);
  const ssize_t sent = platform::send_message(socket_.get(), message);
  if (sent <= 0) return false;
  return platform::send_all(socket_.get(), bytes.subspan(static_cast<size_t>(sent)));
}

}  // namespace pvgpu::frontends::vhost_user
