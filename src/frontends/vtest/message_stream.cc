#include "frontends/vtest/message_stream.h"

#include <fmt/format.h>

#include <cstring>

#include "platform/unix_socket.h"

namespace pvgpu::frontends::vtest {
namespace {

constexpr size_t kInitialBuffer = 16384;
constexpr size_t kAlignment = sizeof(uint32_t);

std::unexpected<venus::Poison> truncated(size_t received, size_t expected) {
  return std::unexpected(venus::Poison{
      venus::PoisonReason::kTruncated,
      fmt::format("the connection ended after {} of a message's {} bytes", received, expected)});
}

}  // namespace

MessageStream::MessageStream(int socket) : socket_(socket), buffer_(kInitialBuffer) {}

bool MessageStream::fill(size_t bytes) {
  if (end_ - begin_ >= bytes) return true;
  if (buffer_.size() - begin_ < bytes) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < bytes) {
    // Grows with what has arrived, not with what a header claims will arrive.
    if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    ssize_t received = platform::receive_some(socket_, std::span(buffer_).subspan(end_));
    if (received <= 0) return false;
    end_ += static_cast<size_t>(received);
  }
  return true;
}

std::expected<std::optional<MessageStream::Message>, venus::Poison> MessageStream::next() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (!fill(kHeaderBytes)) {
    if (begin_ == end_) return std::nullopt;
    return truncated(end_ - begin_, kHeaderBytes);
  }
  Header header = parse_header(std::span(buffer_).subspan(begin_).first<kHeaderBytes>());
  auto length = payload_bytes(header);
  if (!length) return std::unexpected(length.error());
  if (!fill(kHeaderBytes + *length)) return truncated(end_ - begin_, kHeaderBytes + *length);
  if (begin_ % kAlignment != 0) {
    // After a name, whose length is any number of bytes.
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  Message message{header,
                  std::span<const std::byte>(buffer_).subspan(begin_ + kHeaderBytes, *length)};
  begin_ += kHeaderBytes + *length;
  return message;
}

}  // namespace pvgpu::frontends::vtest
