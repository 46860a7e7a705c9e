#include "frontends/server/worker_command.h"

#include <unistd.h>

#include <utility>

namespace pvgpu::frontends::server {

platform::Command command_of(const WorkerCommand& worker, std::vector<std::string> options, std::vector<int> descriptors) {
  platform::Command command;
  command.program = worker.program;
  command.arguments = worker.arguments;
  command.descriptors = std::move(descriptors);
  // A terminal's Ctrl-C reaches the supervisor, which ends its workers in order.
  command.own_process_group = true;
  command.standard_streams_to_log = true;
  if (!worker.append_options) return command;
  auto add = [&](std::string option) { command.arguments.push_back(std::move(option)); };
  add("--supervisor=" + std::to_string(::getpid()));
  add("--log-level=" + std::string(observe::level_name(worker.log_level)));
  add("--sandbox=" + std::string(sandbox_mode_name(worker.sandbox)));
  if (!worker.loader_path.empty()) add("--vulkan-loader=" + worker.loader_path);
  for (const std::string& selector : worker.gpu_selectors) add("--gpu=" + selector);
  for (std::string& option : options) add(std::move(option));
  return command;
}

std::vector<std::string> observation_options(const Observation& observation) {
  std::vector<std::string> options;
  if (!observation.record.empty()) options.push_back("--record=" + observation.record);
  if (!observation.latency.empty()) options.push_back("--latency=" + observation.latency);
  return options;
}

Result<void> check_worker(const std::string& program) {
  const auto said = platform::ask_for_version(program);
  if (!said) return std::unexpected(said.error());
  if (said->text == "pvgpu " PVGPU_VERSION "\n") return {};
  return fail(program + " is no pvgpu of version " PVGPU_VERSION, "name the pvgpu program that was built with this library");
}

}  // namespace pvgpu::frontends::server
