// What the front-end tells and asks, message by message.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "frontends/vhost_user/session.h"
#include "observe/log.h"

namespace pvgpu::frontends::vhost_user {
namespace {

std::unexpected<std::string> wrong(const Message& message, const std::string& why) {
  return std::unexpected(fmt::format("request {}: {}", message.header.request, why));
}

template <class T>
std::optional<T> payload_as(const Message& message) {
  T value;
  if (message.payload.size() < sizeof value) return std::nullopt;
  std::memcpy(&value, message.payload.data(), sizeof value);
  return value;
}

std::unexpected<std::string> cut_off(const Message& message) {
  return wrong(message, fmt::format("only {} bytes", message.payload.size()));
}

platform::UniqueFd take_fd(Message& message) {
  return message.descriptors.empty() ? platform::UniqueFd() : std::move(message.descriptors.front());
}

}  // namespace

void Session::receive() {
  auto message = channel_.receive();
  if (!message) {
    end_ = std::unexpected(message.error());
    return loop_.stop();
  }
  if (!*message) return loop_.stop();
  replied_ = false;
  LOG_TRACE("vhost-user request {} with {} bytes", (*message)->header.request, (*message)->payload.size());
  Done done = handle(**message);
  if (!done) {
    end_ = done;
    return loop_.stop();
  }
  const bool wanted = ((*message)->header.flags & kFlagNeedReply) && negotiated(kProtocolReplyAck);
  if (wanted && !replied_) reply_with(**message, uint64_t{0});
}

uint64_t Session::protocol_features() const {
  return kProtocolMq | kProtocolReplyAck | kProtocolBackendReq | kProtocolConfig | kProtocolBackendSendFd |
         kProtocolResetDevice | kProtocolSharedObject | (memory_slots_ ? uint64_t{kProtocolConfigureMemSlots} : uint64_t{0}) |
         (1ull << shmem_feature_bit_);
}

void Session::reply(const Message& message, std::span<const std::byte> payload) {
  replied_ = true;
  const MessageHeader header{message.header.request, kVersion | kFlagReply, static_cast<uint32_t>(payload.size())};
  // A front-end that is gone is noticed at the next receive.
  channel_.send(header, payload);
}

Session::Done Session::handle(Message& message) {
  const auto number = payload_as<uint64_t>(message);
  switch (static_cast<FrontendRequest>(message.header.request)) {
    case FrontendRequest::kGetFeatures:
      reply_with(message, device_.offered_features() | kFeatureProtocol);
      return {};
    case FrontendRequest::kSetFeatures:
      if (!number) return cut_off(message);
      if (*number & ~(device_.offered_features() | kFeatureProtocol))
        return wrong(message, fmt::format("features {:#x}, which were not offered", *number));
      device_.accept_features(*number);
      // Queues of a front-end that does not know SET_VRING_ENABLE are always on.
      if (!(*number & kFeatureProtocol))
        for (Vring& vring : vrings_) vring.enabled = true;
      return {};
    case FrontendRequest::kGetProtocolFeatures:
      reply_with(message, protocol_features());
      return {};
    case FrontendRequest::kSetProtocolFeatures:
      if (!number) return cut_off(message);
      acked_protocol_features_ = *number & protocol_features();
      return {};
    case FrontendRequest::kGetQueueNum:
      reply_with(message, uint64_t{virtio_gpu::kQueueCount});
      return {};
    case FrontendRequest::kSetOwner:
    case FrontendRequest::kResetOwner:
      return {};
    case FrontendRequest::kResetDevice:
      for (uint16_t i = 0; i < vrings_.size(); i++) stop(i);
      device_.reset();
      LOG_DEBUG("device reset");
      return {};
    case FrontendRequest::kSetBackendReqFd: {
      platform::UniqueFd fd = take_fd(message);
      if (!fd.valid()) return wrong(message, "no descriptor");
      window_.open(std::move(fd), negotiated(kProtocolReplyAck), negotiated(kProtocolSharedObject));
      return {};
    }
    case FrontendRequest::kGetShmemConfig: {
      ShmemConfig config{.count = 1};
      config.sizes[virtio_gpu::kWindowId] = window_bytes_;
      reply_with(message, config);
      return {};
    }
    case FrontendRequest::kGetMaxMemSlots:
      reply_with(message, uint64_t{MemoryTable::kMaxRegions});
      return {};
    case FrontendRequest::kSetMemTable:
    case FrontendRequest::kAddMemReg:
    case FrontendRequest::kRemMemReg:
      return handle_memory(message);
    case FrontendRequest::kGetConfig:
    case FrontendRequest::kSetConfig:
      return handle_config(message);
    default:
      return handle_vring(message);
  }
}

Session::Done Session::handle_memory(Message& message) {
  if (message.header.request == static_cast<uint32_t>(FrontendRequest::kSetMemTable)) {
    const auto header = payload_as<MemoryTableHeader>(message);
    if (!header) return cut_off(message);
    if (header->count > kMaxTableRegions || message.payload.size() < sizeof *header + header->count * sizeof(MemoryRegion) ||
        message.descriptors.size() != header->count)
      return wrong(message, fmt::format("{} regions and {} descriptors", header->count, message.descriptors.size()));
    std::vector<MemoryTable::Described> regions;
    for (uint32_t i = 0; i < header->count; i++) {
      MemoryRegion region;
      std::memcpy(&region, message.payload.data() + sizeof *header + i * sizeof region, sizeof region);
      regions.emplace_back(region, std::move(message.descriptors[i]));
    }
    return memory_.replace(std::move(regions));
  }
  // A padding word comes before the region.
  struct One {
    uint64_t padding;
    MemoryRegion region;
  };
  const auto one = payload_as<One>(message);
  if (!one) return cut_off(message);
  if (message.header.request == static_cast<uint32_t>(FrontendRequest::kRemMemReg)) {
    memory_.remove(one->region);
    return {};
  }
  platform::UniqueFd fd = take_fd(message);
  if (!fd.valid()) return wrong(message, "no descriptor");
  return memory_.add(one->region, std::move(fd));
}

Session::Done Session::handle_config(Message& message) {
  const auto header = payload_as<ConfigHeader>(message);
  if (!header) return cut_off(message);
  if (header->size > kMaxConfigBytes || message.payload.size() < sizeof *header + header->size)
    return wrong(message, fmt::format("{} bytes of the config space", header->size));
  const auto bytes = std::span(message.payload).subspan(sizeof *header, header->size);
  if (message.header.request == static_cast<uint32_t>(FrontendRequest::kSetConfig)) {
    device_.write_config(header->offset, bytes);
    return {};
  }
  device_.read_config(header->offset, bytes);
  reply(message, std::span(message.payload).first(sizeof *header + header->size));
  return {};
}

Session::Done Session::handle_vring(Message& message) {
  const auto request = static_cast<FrontendRequest>(message.header.request);
  if (request == FrontendRequest::kSetVringKick) return set_vring_fd(message, &Vring::kick);
  if (request == FrontendRequest::kSetVringCall) return set_vring_fd(message, &Vring::call);
  if (request == FrontendRequest::kSetVringErr) return set_vring_fd(message, &Vring::error);
  const auto state = payload_as<VringState>(message);
  if (!state) return cut_off(message);
  if (state->index >= vrings_.size()) return wrong(message, fmt::format("queue {} of {}", state->index, vrings_.size()));
  const auto index = static_cast<uint16_t>(state->index);
  Vring& vring = vrings_[index];
  switch (request) {
    case FrontendRequest::kSetVringNum:
      if (state->num == 0 || state->num > virtio_gpu::QueueMemory::kMaxSize)
        return wrong(message, fmt::format("{} descriptors", state->num));
      vring.size = static_cast<uint16_t>(state->num);
      return {};
    case FrontendRequest::kSetVringAddr:
      vring.address = payload_as<VringAddress>(message);
      if (!vring.address) return cut_off(message);
      start_if_ready(index);
      return {};
    case FrontendRequest::kSetVringBase:
      // QEMU tells of no reset of this device, but a queue that was in use and begins anew has a new driver: the guest
      // has rebooted. (One that is paused goes on where it was. After exactly 65536 requests the two look alike.)
      if (index == virtio_gpu::kControlQueue && !vring.running && vring.base != 0 && vring.base != state->num &&
          state->num == device_.initial_position()) {
        LOG_DEBUG("device reset by a new driver");
        device_.reset();
      }
      vring.base = state->num;
      return {};
    case FrontendRequest::kGetVringBase:
      stop(index);
      vring.kick.reset();
      reply_with(message, VringState{index, vring.base});
      return {};
    case FrontendRequest::kSetVringEnable:
      vring.enabled = state->num != 0;
      if (vring.enabled) {
        start_if_ready(index);
      } else {
        stop(index);
      }
      return {};
    default:
      return wrong(message, "unknown");
  }
}

Session::Done Session::set_vring_fd(Message& message, platform::UniqueFd Vring::*member) {
  const auto number = payload_as<uint64_t>(message);
  if (!number) return cut_off(message);
  const uint64_t index = *number & kVringIndexMask;
  if (index >= vrings_.size()) return wrong(message, fmt::format("queue {} of {}", index, vrings_.size()));
  platform::UniqueFd fd = take_fd(message);
  if (!(*number & kVringNoFd) && !fd.valid()) return wrong(message, "no descriptor");
  Vring& vring = vrings_[index];
  const bool kick = member == &Vring::kick;
  if (kick) stop(static_cast<uint16_t>(index));
  vring.*member = std::move(fd);
  if (kick && !vring.kick.valid()) return wrong(message, "a queue without a doorbell, which is not supported");
  if (kick) start_if_ready(static_cast<uint16_t>(index));
  return {};
}

}  // namespace pvgpu::frontends::vhost_user
