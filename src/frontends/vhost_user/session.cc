#include "frontends/vhost_user/session.h"

#include <algorithm>
#include <utility>

#include "observe/log.h"
#include "platform/doorbell.h"

namespace pvgpu::frontends::vhost_user {

Session::Session(platform::EventLoop& loop, platform::UniqueFd socket, Options options)
    : loop_(loop),
      channel_(std::move(socket)),
      shmem_feature_bit_(options.shmem_feature_bit),
      memory_slots_(options.memory_slots),
      window_bytes_(options.device.window_bytes),
      window_(loop),
      memory_([this](int fd) { return window_.is_mapped(fd); }),
      device_(std::move(options.device), *this) {}

Session::~Session() {
  for (uint16_t i = 0; i < vrings_.size(); i++) stop(i);
}

std::expected<void, std::string> Session::run() {
  if (!loop_.watch(channel_.fd(), [this] { receive(); })) return std::unexpected(std::string("cannot watch its socket"));
  loop_.run();
  loop_.unwatch(channel_.fd());
  return end_;
}

void Session::interrupt(uint16_t queue) {
  if (vrings_[queue].call.valid()) platform::ring_doorbell(vrings_[queue].call.get());
}

void Session::config_changed() { window_.tell_config_changed(); }

void Session::queue_broken(uint16_t queue) {
  if (vrings_[queue].error.valid()) platform::ring_doorbell(vrings_[queue].error.get());
}

void Session::map_window(uint64_t offset, uint64_t length, const venus::BlobMemory& memory, std::function<void(bool)> done) {
  window_.map(virtio_gpu::kWindowId, offset, length, memory.fd.get(), 0, std::move(done));
}

void Session::unmap_window(uint64_t offset, uint64_t length, std::function<void(bool)> done) {
  window_.unmap(virtio_gpu::kWindowId, offset, length, std::move(done));
}

void Session::start_if_ready(uint16_t index) {
  Vring& vring = vrings_[index];
  if (vring.running || !vring.enabled || !vring.kick.valid() || !vring.address || vring.size == 0) return;
  auto layout = device_.queue_memory(vring.size, {vring.address->descriptors, vring.address->available, vring.address->used},
                                     [this](uint64_t address, size_t bytes) { return memory_.find_user(address, bytes); });
  if (!device_.start_queue(index, std::move(layout), vring.base)) return;
  if (!loop_.watch(vring.kick.get(), [this, index] { kicked(index); })) {
    LOG_ERROR("queue {} cannot be watched", index);
    device_.stop_queue(index);
    return;
  }
  vring.running = true;
  window_.resume();
  LOG_DEBUG("queue {} starts: {} descriptors, next {}", index, vring.size, vring.base);
  device_.kick(index);  // what came before we watched
}

void Session::stop(uint16_t index) {
  Vring& vring = vrings_[index];
  if (!vring.running) return;
  loop_.unwatch(vring.kick.get());
  vring.base = device_.stop_queue(index);
  vring.running = false;
  if (std::ranges::none_of(vrings_, &Vring::running)) window_.pause();
}

void Session::kicked(uint16_t index) {
  if (!platform::answer_doorbell(vrings_[index].kick.get())) {
    LOG_ERROR("queue {} has no doorbell any more", index);
    return stop(index);
  }
  device_.kick(index);
}

}  // namespace pvgpu::frontends::vhost_user
