// Signals as something to read, instead of handlers that interrupt. Made before any thread starts,
// since threads inherit which signals are blocked.
#pragma once

#include <signal.h>

#include <initializer_list>
#include <memory>
#include <optional>

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

class SignalQueue {
 public:
  struct Signal {
    int number;
    bool from_terminal;  // by Ctrl-C and the like: every process of the foreground group got it
  };

  // Blocks `signals` for this thread and those that it starts, for as long as the queue lives. One queue at a time.
  static Result<SignalQueue> create(std::initializer_list<int> signals);
  SignalQueue(SignalQueue&& other) noexcept;
  SignalQueue& operator=(SignalQueue&&) = delete;
  ~SignalQueue();

  // Readable while a signal waits.
  const UniqueFd& fd() const { return fd_; }
  std::optional<Signal> next() const;

 private:
  struct Taker;  // of signals, where the system has no descriptor for them
  SignalQueue(UniqueFd fd, sigset_t previous, std::unique_ptr<Taker> taker);

  UniqueFd fd_;
  sigset_t previous_;
  std::unique_ptr<Taker> taker_;
};

// While it lives, this thread and those that it starts take no signals but those that their own faults raise. Threads
// inherit that for good.
class BlockedSignals {
 public:
  BlockedSignals();
  ~BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t previous_;
};

// Writing to a closed pipe becomes an error of write(2) instead of the process's end.
void ignore_broken_pipes();

}  // namespace pvgpu::platform
