// What wakes another thread or process that polls, again and again: readable from a ring until the next answer.
// Any thread may ring; one answers.
#pragma once

#include <utility>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

class Doorbell {
 public:
  static Result<Doorbell> create();

  // What is watched, and answered. May be given to another process, as may the button.
  const UniqueFd& fd() const { return fd_; }
  // What is rung: the same descriptor where the system has a kind that is both.
  const UniqueFd& button() const { return button_.valid() ? button_ : fd_; }

 private:
  explicit Doorbell(UniqueFd fd, UniqueFd button = {}) : fd_(std::move(fd)), button_(std::move(button)) {}
  UniqueFd fd_, button_;
};

// A doorbell's ends, which another process may have made (of eventfds on Linux, of pipes elsewhere).
void ring_doorbell(int button);
// After it was seen to be readable. False, with errno set, if this is no doorbell.
bool answer_doorbell(int fd);

}  // namespace pvgpu::platform
