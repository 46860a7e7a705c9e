#include "bench/client_process.h"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <optional>

#include "platform/poller.h"
#include "platform/process.h"
#include "platform/shared_memory.h"

namespace pvgpu::bench {
namespace {

using std::chrono::seconds;

// The client ends itself at its deadline; what it was started with may not pass that on.
constexpr seconds kGrace(3);

enum Token : uint64_t { kEnded, kSignal };

platform::Command shell_command(const ClientCommand& command, const Work& work, int output,
                                int errors) {
  platform::Command shell;
  shell.program = "/bin/sh";
  shell.arguments = {"-c", "exec " + command.prefix + " \"$@\" >&3 2>&4 3>&- 4>&-", "sh"};
  const auto add = [&](std::string word) { shell.arguments.push_back(std::move(word)); };
  if (!command.variables.empty()) add("env");
  for (const std::string& variable : command.variables) add(variable);
  add(command.program);
  add("--work");
  add(std::string(work.name));
  add("--deadline");
  add(std::to_string(command.deadline_seconds));
  for (const std::string& argument : command.arguments) add(argument);
  shell.descriptors = {output, errors};
  return shell;
}

// nullopt: it still runs. An error: a signal came.
Result<std::optional<platform::ExitStatus>> wait_for(platform::ChildProcess& child,
                                                     const platform::SignalQueue& signals,
                                                     seconds patience) {
  auto poller = platform::Poller::create();
  if (!poller) return std::unexpected(poller.error());
  poller->add(child.exit_fd().get(), kEnded, platform::Poller::Interest::kReadable);
  poller->add(signals.fd().get(), kSignal, platform::Poller::Interest::kReadable);
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    for (uint64_t token : poller->wait(left)) {
      if (token == kSignal) return fail("");
    }
    if (auto status = child.poll()) return status;
  }
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

Result<Outcome> run_client(const ClientCommand& command, const Work& work,
                           const platform::SignalQueue& signals) {
  auto output = platform::anonymous_file("outcome");
  auto errors = platform::anonymous_file("errors");
  if (!output) return std::unexpected(output.error());
  if (!errors) return std::unexpected(errors.error());
  auto child =
      platform::ChildProcess::spawn(shell_command(command, work, output->get(), errors->get()));
  if (!child) return std::unexpected(child.error());
  auto status = wait_for(*child, signals, seconds(command.deadline_seconds) + kGrace);
  if (!status) return std::unexpected(status.error());

  Outcome failed;
  if (!*status || (*status)->signal == SIGALRM || (*status)->code == 128 + SIGALRM) {
    failed.failure = fmt::format("no end within {} s", command.deadline_seconds);
    return failed;
  }
  auto text = platform::read_file(output->get());
  if (!text) return std::unexpected(text.error());
  if (auto outcome = parse_outcome(*text)) return std::move(*outcome);
  failed.failure = "it ended with " + (*status)->describe();
  if (auto said = platform::read_file(errors->get()); said && !said->empty())
    failed.failure += ": " + last_line(*said);
  return failed;
}

}  // namespace pvgpu::bench
