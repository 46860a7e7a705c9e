#include "frontends/server/supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "frontends/vtest/messages.h"
#include "observe/log.h"
#include "platform/process.h"
#include "platform/system_call.h"

namespace pvgpu::frontends::server {
namespace {

using platform::Poller;
using std::chrono::milliseconds;

// What a poller's token says: its kind, and above it the client's number.
enum Token : uint64_t { kListener, kSignals, kEnded, kHungUp, kTokenKinds };

uint64_t token(Token kind, uint64_t number) {
  return number * kTokenKinds + kind;
}

// Refused guests whose connection is kept until they have read the answer.
constexpr size_t kMaxRefused = 64;
constexpr auto kAcceptPause = std::chrono::seconds(1);

void say_farewell(const platform::UniqueFd& socket) {
  platform::send_if_possible(socket.get(), std::as_bytes(std::span(vtest::kFarewell)));
}

std::string label_of(const ClientInfo& info) {
  std::string name = platform::process_name(info.peer.pid);
  return fmt::format("client {} ({}pid {}, uid {})", info.number, name.empty() ? "" : name + ", ",
                     info.peer.pid, info.peer.uid);
}

}  // namespace

Result<Supervisor> Supervisor::create(const platform::ListeningSocket& listener,
                                      const platform::SignalQueue& signals, ClientStarter starter,
                                      const Options& options) {
  auto poller = Poller::create();
  if (!poller) return std::unexpected(poller.error());
  if (!poller->add(listener.fd().get(), token(kListener, 0), Poller::Interest::kReadable) ||
      !poller->add(signals.fd().get(), token(kSignals, 0), Poller::Interest::kReadable)) {
    return platform::system_error("cannot watch the socket", errno);
  }
  return Supervisor(listener, signals, std::move(starter), options, std::move(*poller));
}

Supervisor::Supervisor(const platform::ListeningSocket& listener,
                       const platform::SignalQueue& signals, ClientStarter starter,
                       const Options& options, Poller poller)
    : listener_(listener),
      signals_(signals),
      starter_(std::move(starter)),
      options_(options),
      poller_(std::move(poller)) {}

bool Supervisor::run() {
  std::optional<Clock::time_point> give_up_at;
  quiet_at_ = Clock::now() + options_.quiet;
  while (!stopping_ || !clients_.empty()) {
    // Tokens may end clients whose other token is in the same batch, so every handler looks them
    // up.
    for (uint64_t ready : poller_.wait(time_to_next_deadline())) handle(ready);
    kill_overdue();
    if (resume_accepting_at_ && Clock::now() >= *resume_accepting_at_) resume_accepting();
    be_quiet();
    if (!stopping_) continue;
    // Killed processes end; only threads can still be here after a second grace.
    if (!give_up_at) give_up_at = Clock::now() + 2 * options_.stop_grace + milliseconds(500);
    if (Clock::now() >= *give_up_at) return false;
  }
  return true;
}

void Supervisor::handle(uint64_t ready) {
  uint64_t number = ready / kTokenKinds;
  switch (static_cast<Token>(ready % kTokenKinds)) {
    case kListener:
      return accept_clients();
    case kSignals:
      return stop();
    case kEnded:
      return reap(number);
    case kHungUp:
      return hang_up(number);
    case kTokenKinds:
      break;
  }
}

void Supervisor::accept_clients() {
  // Bounded, so that a flood of connections does not keep the ends of others waiting.
  for (int i = 0; i < 64 && !stopping_ && !resume_accepting_at_; i++) {
    platform::UniqueFd socket = listener_.accept();
    if (socket.valid()) {
      start(std::move(socket));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      pause_accepting(errno);
    } else if (errno != ECONNABORTED) {
      return;
    }
  }
}

void Supervisor::pause_accepting(int error_number) {
  // The waiting connection would be reported again at once, for good.
  LOG_ERROR("cannot accept guests: {}; trying again when one ends",
            platform::error_text(error_number));
  poller_.remove(listener_.fd().get());
  resume_accepting_at_ = Clock::now() + kAcceptPause;
}

void Supervisor::resume_accepting() {
  resume_accepting_at_.reset();
  if (!stopping_) {
    poller_.add(listener_.fd().get(), token(kListener, 0), Poller::Interest::kReadable);
  }
}

void Supervisor::start(platform::UniqueFd socket) {
  Client client;
  client.info.number = ++last_number_;
  client.info.peer =
      platform::peer_credentials(socket.get())
          .value_or(platform::PeerCredentials{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)});
  client.label = label_of(client.info);
  client.started = Clock::now();
  quiet_at_ = client.started + options_.quiet;
  if (clients_.size() >= options_.max_clients) {
    if (!std::exchange(full_logged_, true)) {
      LOG_WARN("{} refused: {} guests are served already (--max-clients)", client.label,
               clients_.size());
    }
    return refuse(std::move(socket));
  }
  client.socket = socket.duplicate();
  auto task = client.socket.valid() ? starter_(client.info, std::move(socket))
                                    : platform::system_error("cannot keep its connection", errno);
  if (!task) {
    LOG_ERROR("{} refused: {}", client.label, task.error().what);
    return refuse(client.socket.valid() ? std::move(client.socket) : std::move(socket));
  }
  client.task = std::move(*task);
  uint64_t number = client.info.number;
  if (!poller_.add(client.task->end_fd().get(), token(kEnded, number),
                   Poller::Interest::kReadable)) {
    LOG_ERROR("{} refused: {}", client.label, platform::error_text(errno));
    client.task->kill();
    return refuse(std::move(client.socket));
  }
  poller_.add(client.socket.get(), token(kHungUp, number), Poller::Interest::kHangUp);
  LOG_INFO("{} connected, {}", client.label, client.task->name());
  clients_.emplace(number, std::move(client));
}

void Supervisor::refuse(platform::UniqueFd socket) {
  if (options_.vtest_farewell) say_farewell(socket);
  if (refused_.size() >= kMaxRefused) refused_.pop_front();
  refused_.push_back(std::move(socket));
}

void Supervisor::hang_up(uint64_t number) {
  auto found = clients_.find(number);
  if (found == clients_.end() || found->second.kill_at) return;
  found->second.kill_at = Clock::now() + options_.hang_up_grace;
}

void Supervisor::reap(uint64_t number) {
  auto found = clients_.find(number);
  if (found == clients_.end()) return;
  auto outcome = found->second.task->outcome();
  if (!outcome) return;
  Client client = std::move(found->second);
  clients_.erase(found);
  poller_.remove(client.task->end_fd().get());
  poller_.remove(client.socket.get());
  log_end(client, *outcome);
  // A session that stops its guest has said so itself.
  bool silent = outcome->end == ClientEnd::kCrashed || outcome->end == ClientEnd::kNotStarted;
  if (silent && options_.vtest_farewell) say_farewell(client.socket);
  full_logged_ = false;
  if (clients_.empty() && quiet_at_) quiet_at_ = Clock::now();
  if (resume_accepting_at_) resume_accepting();
}

void Supervisor::log_end(const Client& client, const ClientOutcome& outcome) const {
  double seconds = std::chrono::duration<double>(Clock::now() - client.started).count();
  switch (outcome.end) {
    case ClientEnd::kClosed:
      LOG_INFO("{} ended after {:.1f} s", client.label, seconds);
      break;
    case ClientEnd::kPoisoned:
      LOG_INFO("{} was stopped after {:.1f} s", client.label, seconds);
      break;
    case ClientEnd::kNotStarted:
      LOG_ERROR("{} could not be served", client.label);
      break;
    case ClientEnd::kCrashed:
      if (client.killed || stopping_) {
        LOG_INFO("{} ended by the server after {:.1f} s", client.label, seconds);
      } else {
        LOG_ERROR("{}: {} crashed after {:.1f} s: {}; no other guest is affected", client.label,
                  client.task->name(), seconds, outcome.detail);
      }
      break;
  }
}

void Supervisor::be_quiet() {
  if (!quiet_at_ || Clock::now() < *quiet_at_) return;
  quiet_at_.reset();
  if (options_.on_quiet && !stopping_) options_.on_quiet();
}

void Supervisor::kill_overdue() {
  auto now = Clock::now();
  for (auto& [number, client] : clients_) {
    if (!client.kill_at || client.killed || now < *client.kill_at) continue;
    LOG_WARN("{}: {} did not end in time; it is killed", client.label, client.task->name());
    client.killed = true;
    client.task->kill();
  }
}

void Supervisor::stop() {
  std::optional<platform::SignalQueue::Signal> signal;
  bool again = stopping_;
  while (auto next = signals_.next()) signal = next;
  if (!signal) return;
  if (!again) {
    LOG_INFO("stopping: {} guests are served", clients_.size());
    stopping_ = true;
    if (!resume_accepting_at_) poller_.remove(listener_.fd().get());
    refused_.clear();
  }
  for (auto& [number, client] : clients_) {
    // A second signal means that the user does not want to wait.
    client.kill_at = again ? Clock::now() : Clock::now() + options_.stop_grace;
    client.task->terminate();
  }
}

std::optional<milliseconds> Supervisor::time_to_next_deadline() const {
  std::optional<Clock::time_point> next = resume_accepting_at_;
  auto consider = [&](Clock::time_point time) { next = next ? std::min(*next, time) : time; };
  for (const auto& [number, client] : clients_) {
    if (client.kill_at && !client.killed) consider(*client.kill_at);
  }
  if (quiet_at_) consider(*quiet_at_);
  // Wakes up for giving up on what even a kill did not end.
  if (stopping_) consider(Clock::now() + milliseconds(100));
  if (!next) return std::nullopt;
  auto left = std::chrono::ceil<milliseconds>(*next - Clock::now());
  return std::max(left, milliseconds(0));
}

}  // namespace pvgpu::frontends::server
