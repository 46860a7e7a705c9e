// Over poll(2), for systems that have nothing better.
#include "platform/poller.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <vector>

namespace pvgpu::platform {

struct Poller::Set {
  std::vector<pollfd> entries;
  std::vector<uint64_t> tokens;  // of the entry at the same place
  size_t first = 0;              // where the next wait looks first, so that no descriptor starves others

  // Also what has been reported for the only time, which is there as its complement: poll skips negative descriptors.
  auto find(int fd) {
    return std::ranges::find_if(entries, [fd](const pollfd& entry) { return entry.fd == fd || entry.fd == ~fd; });
  }
};

Poller::Poller(std::unique_ptr<Set> set) : set_(std::move(set)) {}
Poller::Poller(Poller&&) noexcept = default;
Poller& Poller::operator=(Poller&&) noexcept = default;
Poller::~Poller() = default;

Result<Poller> Poller::create() {
  return Poller(std::make_unique<Set>());
}

bool Poller::add(int fd, uint64_t token, Interest interest) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return false;
  // Files are always readable, so that waiting for one is a mistake.
  if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
    errno = EPERM;
    return false;
  }
  if (set_->find(fd) != set_->entries.end()) {
    errno = EEXIST;
    return false;
  }
  // That the other side is gone is reported unasked.
  set_->entries.push_back({fd, static_cast<short>(interest == Interest::kReadable ? POLLIN : 0), 0});
  set_->tokens.push_back(token);
  return true;
}

void Poller::remove(int fd) {
  const auto found = set_->find(fd);
  if (found == set_->entries.end()) return;
  set_->tokens.erase(set_->tokens.begin() + (found - set_->entries.begin()));
  set_->entries.erase(found);
}

std::span<const uint64_t> Poller::wait(std::optional<std::chrono::milliseconds> timeout) {
  int milliseconds = -1;
  if (timeout) milliseconds = static_cast<int>(std::clamp<int64_t>(timeout->count(), 0, INT_MAX));
  const size_t total = set_->entries.size();
  if (::poll(set_->entries.data(), static_cast<nfds_t>(total), milliseconds) <= 0) return {};
  size_t count = 0, looked_at = 0;
  for (; looked_at < total && count < ready_.size(); looked_at++) {
    const size_t place = (set_->first + looked_at) % total;
    pollfd& entry = set_->entries[place];
    if (entry.fd < 0 || entry.revents == 0) continue;
    ready_[count++] = set_->tokens[place];
    if (entry.events == 0) entry.fd = ~entry.fd;  // once
  }
  set_->first = (set_->first + looked_at) % total;
  return std::span(ready_).first(count);
}

}  // namespace pvgpu::platform
