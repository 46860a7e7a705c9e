// A flag that another process can poll: readable once set, and forever after. What a guest gets as
// the reply to a wait. set() may be called from any thread, any number of times.
#pragma once

#include <utility>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

class Event {
 public:
  static Result<Event> create();

  void set() const;
  bool is_set() const;
  const UniqueFd& fd() const { return fd_; }

 private:
  explicit Event(UniqueFd fd, UniqueFd setter = {}) : fd_(std::move(fd)), setter_(std::move(setter)) {}
  UniqueFd fd_;
  UniqueFd setter_;  // where that takes a descriptor of its own
};

}  // namespace pvgpu::platform
