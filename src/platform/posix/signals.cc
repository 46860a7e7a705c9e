// A thread of its own takes the signals, which all others block: its handlers write into a pipe what they were told.
#include "platform/signals.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include "platform/pipe.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

// Where the handlers write; -1: nowhere.
std::atomic<int> handlers_pipe{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void write_signal(int number, siginfo_t* info, void*) {
  const int error = errno;
  // What a terminal does is nobody's: neither kill(2) nor another process.
  const SignalQueue::Signal signal{number, info->si_code != SI_USER && info->si_code != SI_QUEUE && info->si_pid == 0};
  // A full pipe has signals enough to read.
  [[maybe_unused]] const auto written = ::write(handlers_pipe.load(std::memory_order_relaxed), &signal, sizeof signal);
  errno = error;
}

}  // namespace

struct SignalQueue::Taker {
  ~Taker() {
    stop.writer.reset();
    thread.join();
    for (const auto& [signal, action] : previous_actions) ::sigaction(signal, &action, nullptr);
    handlers_pipe.store(-1, std::memory_order_relaxed);
  }

  UniqueFd writer;  // of the queue's pipe
  Pipe stop;        // closed to end the thread
  std::vector<std::pair<int, struct sigaction>> previous_actions;
  std::thread thread;
};

SignalQueue::SignalQueue(UniqueFd fd, sigset_t previous, std::unique_ptr<Taker> taker)
    : fd_(std::move(fd)), previous_(previous), taker_(std::move(taker)) {}
SignalQueue::SignalQueue(SignalQueue&&) noexcept = default;

Result<SignalQueue> SignalQueue::create(std::initializer_list<int> signals) {
  auto signal_pipe = create_pipe(Pipe::kNonBlocking);
  auto stop_pipe = create_pipe();
  if (!signal_pipe || !stop_pipe) return std::unexpected((signal_pipe ? stop_pipe : signal_pipe).error());
  int expected = -1;
  if (!handlers_pipe.compare_exchange_strong(expected, signal_pipe->writer.get(), std::memory_order_relaxed))
    return fail("this process has a queue of signals already");
  sigset_t set, everything, previous;
  sigemptyset(&set);
  sigfillset(&everything);
  for (int signal : signals) sigaddset(&set, signal);
  auto taker = std::make_unique<Taker>();
  taker->writer = std::move(signal_pipe->writer);
  taker->stop = std::move(*stop_pipe);
  ::pthread_sigmask(SIG_BLOCK, &everything, &previous);
  struct sigaction action{};
  action.sa_sigaction = write_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_mask = set;
  for (int signal : signals) {
    struct sigaction before{};
    ::sigaction(signal, &action, &before);
    taker->previous_actions.emplace_back(signal, before);
  }
  taker->thread = std::thread([set, fd = taker->stop.reader.get()] {
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    pollfd stop{fd, POLLIN, 0};
    while (::poll(&stop, 1, -1) < 0) continue;  // a signal
  });
  sigset_t blocked = previous;
  for (int signal : signals) sigaddset(&blocked, signal);
  ::pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  return SignalQueue(std::move(signal_pipe->reader), previous, std::move(taker));
}

SignalQueue::~SignalQueue() {
  if (!fd_.valid()) return;
  taker_.reset();
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

std::optional<SignalQueue::Signal> SignalQueue::next() const {
  Signal signal{};
  if (retry([&] { return ::read(fd_.get(), &signal, sizeof signal); }) != sizeof signal) return std::nullopt;
  return signal;
}

}  // namespace pvgpu::platform
