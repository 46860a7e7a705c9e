#include "cli/parity.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

#include "cli/private_server.h"
#include "describe/fact.h"
#include "parity/compare.h"
#include "parity/print.h"
#include "parity/venus_queries.h"
#include "platform/own_path.h"
#include "platform/process.h"
#include "platform/shared_memory.h"
#include "platform/signals.h"

namespace pvgpu::cli {
namespace {

using describe::Description;
using describe::Device;
using describe::Kind;

constexpr auto kPatience = std::chrono::minutes(2);

// It lies beside this program.
Result<std::string> find_describer() {
  std::error_code error;
  const auto path = std::filesystem::path(platform::own_path()).parent_path() / "pvgpu-describe";
  if (!std::filesystem::is_regular_file(path, error)) {
    return fail("there is no " + path.string(), "it belongs beside pvgpu and is built with it");
  }
  return path.string();
}

// Runs pvgpu-describe after the words of `prefix`, and reads what it prints. `who`: for errors.
Result<Description> ask(const std::string& prefix, std::vector<std::string> words, const std::string& who) {
  auto output = platform::anonymous_file("description");
  if (!output) return std::unexpected(output.error());
  platform::Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", "exec " + prefix + " \"$@\" >&3", "sh"};
  command.arguments.insert(command.arguments.end(), words.begin(), words.end());
  command.descriptors = {output->get()};
  auto child = platform::ChildProcess::spawn(command);
  if (!child) return std::unexpected(child.error());
  const auto status = child->wait_for(kPatience);
  if (!status) {
    child->kill(SIGKILL);
    return fail(fmt::format("{} did not answer within {} minutes", who, kPatience.count()));
  }
  if (!status->success()) return fail(fmt::format("{} could not be asked: {}", who, status->describe()));
  auto text = platform::read_file(output->get());
  if (!text) return std::unexpected(text.error());
  auto description = describe::from_text(*text);
  if (!description) return fail(fmt::format("what {} says cannot be read: {}", who, description.error()));
  return std::move(*description);
}

// As host::Loader chooses.
std::string loader_of(const host::HostOptions& options) {
  const char* variable = std::getenv("PVGPU_VULKAN_LOADER");
  return options.loader_path.empty() && variable ? variable : options.loader_path;
}

std::string hexadecimal(std::span<const uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

// The devices that are one and the same GPU, each taken once: two GPUs of a kind may share every name and identity.
class Matcher {
 public:
  explicit Matcher(const std::vector<Device>& devices) : devices_(devices), taken_(devices.size()) {}

  template <class Is>
  const Device* take(Is is) {
    for (size_t i = 0; i < devices_.size(); ++i) {
      if (taken_[i] || !is(devices_[i])) continue;
      taken_[i] = true;
      return &devices_[i];
    }
    return nullptr;
  }

 private:
  const std::vector<Device>& devices_;
  std::vector<bool> taken_;
};

const Device* find_native(Matcher& natives, const host::DeviceIdentity& identity) {
  const std::string uuid = hexadecimal(identity.device_uuid);
  return natives.take([&](const Device& device) {
    return device.name() == identity.name &&
           device.value(Kind::kProperty, "VkPhysicalDeviceIDProperties", "deviceUUID") == uuid;
  });
}

// Venus wraps the host's name into its own, as far as it fits.
const Device* find_guest(Matcher& guests, const std::string& name) {
  return guests.take([&](const Device& device) { return device.name().contains(std::string_view(name).substr(0, 200)); });
}

Result<std::vector<parity::Table>> compare_all(const host::Host& host, const host::CarriedExtensions& carried,
                                               const Description& native, const std::vector<Device>& offer,
                                               const Description& guest) {
  std::vector<parity::Table> tables;
  Matcher natives(native.devices), guests(guest.devices);
  for (size_t i = 0; i < host.devices().size(); ++i) {
    const host::DriverProfile& profile = host.devices()[i];
    const Device* on_host = find_native(natives, profile.identity);
    if (!on_host || i >= offer.size()) return fail(fmt::format("{} went away while it was asked", profile.identity.name));
    const Device* in_guest = find_guest(guests, profile.identity.name);
    if (!in_guest) {
      return fail(fmt::format("the guest does not show {}", profile.identity.name),
                  guest.devices.empty() ? "it shows no device at all: can it reach the server's socket, and is it Mesa 23.2 or newer?"
                                        : fmt::format("it shows {}", guest.devices.front().name()));
    }
    tables.push_back(parity::compare({profile, carried, native.instance, guest.instance, *on_host, offer[i], *in_guest}));
  }
  return tables;
}

}  // namespace

Result<ParityReport> parity(const ParityOptions& options) {
  const auto describer = find_describer();
  if (!describer) return std::unexpected(describer.error());
  std::optional<Description> native, guest;
  {
    auto signals = platform::SignalQueue::create({SIGINT, SIGTERM, SIGHUP, SIGQUIT});
    if (!signals) return std::unexpected(signals.error());
    auto server = PrivateServer::start(options.server_arguments, *signals);
    if (!server) return std::unexpected(server.error());
    auto asked = ask(options.guest_command, {*describer, "guest", server->socket_path(), options.guest_icd}, "the guest's driver");
    if (!asked) return std::unexpected(asked.error());
    guest = std::move(*asked);
    asked = ask("", {*describer, "native", loader_of(options.host)}, "the host's driver");
    if (!asked) return std::unexpected(asked.error());
    native = std::move(*asked);
  }
  auto host = host::Host::open(options.host);
  if (!host) return std::unexpected(host.error());
  const auto offer = parity::describe_offer(**host);
  if (!offer) return std::unexpected(offer.error());
  const auto tables = compare_all(**host, options.host.carried, *native, *offer, *guest);
  if (!tables) return std::unexpected(tables.error());
  return ParityReport{options.json ? parity::to_json(*tables) : parity::to_text(*tables, options.colour),
                      std::ranges::all_of(*tables, &parity::Table::explained)};
}

}  // namespace pvgpu::cli
