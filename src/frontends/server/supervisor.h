// Accepts guests on a listening socket, has each served by a task of its own, and sees to it that
// every task ends: when its guest is gone, when it hangs after that, and when the server stops.
// Holds no GPU and starts no thread itself. Owned and called by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "frontends/server/client_task.h"
#include "platform/error.h"
#include "platform/fd.h"
#include "platform/poller.h"
#include "platform/signals.h"
#include "platform/unix_socket.h"

namespace pvgpu::frontends::server {

class Supervisor {
 public:
  struct Options {
    size_t max_clients = 1024;
    // Clients that are refused, or whose task crashed, are sent what ends a guest's wait for whatever reply.
    bool vtest_farewell = true;
    // How long a task may take to end after its guest is gone: a driver may have to finish its
    // work.
    std::chrono::milliseconds hang_up_grace = std::chrono::seconds(10);
    // The same after the server was told to stop.
    std::chrono::milliseconds stop_grace = std::chrono::seconds(2);
    // Called when there is time to prepare for more clients, at first and after some have come: once none has for `quiet`, or
    // when the last one has gone. May be empty.
    std::function<void()> on_quiet;
    std::chrono::milliseconds quiet = std::chrono::seconds(3);
  };

  // `signals` tells when to stop: any signal in it. Both outlive the supervisor.
  static Result<Supervisor> create(const platform::ListeningSocket& listener,
                                   const platform::SignalQueue& signals, ClientStarter starter,
                                   const Options& options);

  // Serves until a signal comes, then ends every task. False if one did not end (a thread that
  // hangs).
  bool run();

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    ClientInfo info;
    std::string label;          // "client 3 (vkcube, pid 1234, uid 1000)"
    platform::UniqueFd socket;  // a duplicate: outlives a worker that crashes
    std::unique_ptr<ClientTask> task;
    Clock::time_point started;
    std::optional<Clock::time_point> kill_at;
    bool killed = false;
  };

  Supervisor(const platform::ListeningSocket& listener, const platform::SignalQueue& signals,
             ClientStarter starter, const Options& options, platform::Poller poller);

  void handle(uint64_t token);
  void accept_clients();
  void pause_accepting(int error_number);
  void resume_accepting();
  void start(platform::UniqueFd socket);
  void refuse(platform::UniqueFd socket);
  void hang_up(uint64_t number);
  void reap(uint64_t number);
  void be_quiet();
  void kill_overdue();
  void stop();
  void log_end(const Client& client, const ClientOutcome& outcome) const;
  std::optional<std::chrono::milliseconds> time_to_next_deadline() const;

  const platform::ListeningSocket& listener_;
  const platform::SignalQueue& signals_;
  ClientStarter starter_;
  Options options_;
  platform::Poller poller_;
  std::unordered_map<uint64_t, Client> clients_;
  std::deque<platform::UniqueFd> refused_;  // until those guests have read their answer
  uint64_t last_number_ = 0;
  std::optional<Clock::time_point> resume_accepting_at_;
  std::optional<Clock::time_point> quiet_at_;
  bool full_logged_ = false;
  bool stopping_ = false;
};

}  // namespace pvgpu::frontends::server
