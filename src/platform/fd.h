// Ownership of a file descriptor. Movable, not copyable; closed by the destructor.
#pragma once

#include <utility>

namespace pvgpu::platform {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Gives the descriptor up to the caller, who closes it.
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);
  // A second descriptor (close-on-exec) for the same file; invalid if the limit is reached.
  UniqueFd duplicate() const;

 private:
  int fd_ = -1;
};

// The same for a descriptor that somebody else owns.
UniqueFd duplicate(int fd);

}  // namespace pvgpu::platform
