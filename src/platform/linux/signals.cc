#include "platform/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "platform/system_call.h"

namespace pvgpu::platform {

struct SignalQueue::Taker {};

SignalQueue::SignalQueue(UniqueFd fd, sigset_t previous, std::unique_ptr<Taker> taker)
    : fd_(std::move(fd)), previous_(previous), taker_(std::move(taker)) {}
SignalQueue::SignalQueue(SignalQueue&&) noexcept = default;

Result<SignalQueue> SignalQueue::create(std::initializer_list<int> signals) {
  sigset_t set, previous;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return system_error("cannot create a signalfd", errno);
  ::pthread_sigmask(SIG_BLOCK, &set, &previous);
  return SignalQueue(std::move(fd), previous, nullptr);
}

SignalQueue::~SignalQueue() {
  if (fd_.valid()) ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

std::optional<SignalQueue::Signal> SignalQueue::next() const {
  signalfd_siginfo info{};
  if (retry([&] { return ::read(fd_.get(), &info, sizeof info); }) != sizeof info) {
    return std::nullopt;
  }
  return Signal{static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL};
}

}  // namespace pvgpu::platform
