#include "frontends/server/ready_workers.h"

#include <algorithm>
#include <utility>

#include "observe/log.h"
#include "platform/packet_socket.h"

namespace pvgpu::frontends::server {

std::optional<platform::ChildProcess> ReadyWorkers::take(std::span<const std::byte> assignment, const platform::UniqueFd& socket) {
  while (!workers_.empty()) {
    Worker worker = std::move(workers_.front());
    workers_.pop_front();
    const bool handed = !worker.process.poll() && platform::send_packet(worker.assignments.get(), assignment, {}, socket.get(),
                                                                        platform::Blocking::kNo);
    if (handed) return std::move(worker.process);
  }
  return std::nullopt;
}

void ReadyWorkers::fill(size_t count) {
  std::erase_if(workers_, [](Worker& worker) { return worker.process.poll().has_value(); });
  while (workers_.size() < std::min(count, most_)) {
    auto sockets = platform::packet_socket_pair();
    if (!sockets) {
      LOG_WARN("no worker is kept ready: {}", sockets.error().what);
      return;
    }
    auto process = spawn_(sockets->second);
    if (!process) {
      LOG_WARN("no worker is kept ready: {}", process.error().what);
      return;
    }
    workers_.push_back({std::move(*process), std::move(sockets->first)});
  }
}

}  // namespace pvgpu::frontends::server
