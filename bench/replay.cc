#include "replay.h"

#include <fmt/format.h>

#include <type_traits>
#include <unordered_map>

#include "fake_driver/fake_driver.h"
#include "host/profile_json.h"
#include "venus/codec/printer.h"
#include "wire/reader.h"

namespace pvgpu::bench {
namespace {

using venus::ContextImpl;
using Kind = observe::RecordedEvent::Kind;

// Handles point to structures that nothing defines.
template <class T>
inline constexpr bool kIsHandle = false;
template <class T>
  requires std::is_class_v<T>
inline constexpr bool kIsHandle<T*> = !requires { sizeof(T); };
template <class T>
inline constexpr bool kIsOutput =
    std::is_pointer_v<T> && !kIsHandle<T> && !std::is_const_v<std::remove_pointer_t<T>> && !std::is_function_v<std::remove_pointer_t<T>>;

template <class Result, class... Args>
void silence(Result (*&function)(Args...)) {
  if constexpr (!(kIsOutput<Args> || ...)) function = [](Args...) { return Result(); };
}

// Every function that has nothing to tell but a result becomes one that does nothing; the fake driver's destructors of its devices stay.
void silence_all(protocol::DeviceDispatch& vk) {
  const PFN_vkDestroyDevice destroy = vk.vkDestroyDevice;
  const auto each = [](auto& table) {
#define FAKE(function, ...) \
  if constexpr (requires { table.function; }) silence(table.function);
#define ALIAS(alias, function)
#include "protocol/fake_driver.inc"
#undef ALIAS
#undef FAKE
  };
  each(vk);
  vk.vkDestroyDevice = destroy;
}

std::string name_of(const venus::PrintedCommand& command) { return command.text.substr(0, command.text.find('(')); }

// Calls `use` with each command's name and bytes.
template <class Use>
void for_each_command(std::span<const std::byte> bytes, Use use) {
  while (!bytes.empty()) {
    const venus::PrintedCommand command = venus::print_command(bytes);
    const size_t size = command.size ? command.size : bytes.size();  // what is no command will poison the context
    use(name_of(command), bytes.first(size));
    bytes = bytes.subspan(size);
  }
}

// How many nested streams a vkExecuteCommandStreamsMESA reads.
size_t streams_of(std::span<const std::byte> command) {
  wire::Reader reader(command);
  reader.bytes(2 * sizeof(uint32_t));  // the header
  reader.u32();
  size_t streams = 0;
  for (uint64_t left = reader.u64(); left != 0 && !reader.failed(); --left) {
    reader.u32();
    reader.u64();
    streams += reader.u64() != 0;
  }
  return streams;
}

bool is_commands(Kind kind) { return kind == Kind::kContextCommands || kind == Kind::kRingCommands; }

Result<std::unique_ptr<host::Host>> open_host(const observe::Recording& recording, const std::string& path) {
  const auto wrong = [&](const std::string& why) { return fail(fmt::format("{} cannot be replayed: {}", path, why)); };
  if (recording.events.empty() || recording.events[0].kind != Kind::kHost) return wrong("it does not begin with the host's devices");
  const auto& bytes = recording.events[0].bytes;
  auto profiles = host::profiles_from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!profiles) return std::unexpected(profiles.error());
  if (profiles->size() != 1) return wrong(fmt::format("the host has {} devices; record with --gpu", profiles->size()));
  // The recorded device in all that guests were told of it, with the name of the one that is there.
  auto fake = host::Host::open({.loader_path = fake_driver::library_path()});
  if (!fake) return std::unexpected(fake.error());
  profiles->front().identity = (*fake)->devices().front().identity;
  return host::Host::open({.loader_path = fake_driver::library_path(), .profile_json = host::profiles_to_json(*profiles)});
}

}  // namespace

// A context that is driven through the recording.
class Replay::Stage {
 public:
  explicit Stage(host::Host& host)
      : context_(host, venus::Context::Options{.name = "replay", .rings_by_hand = true}) {
    fake_driver::offer_everything(true);
  }

  // Everything but the execution of commands. False: the context is poisoned.
  bool prepare(const Event& event) {
    const auto id = static_cast<uint32_t>(event.words[0]);
    switch (event.kind) {
      case Kind::kResource:
        // The bytes of a VkDeviceMemory are the driver's; streams do not name them.
        return event.words[2] != 0 || context_.create_blob(id, {.flags = venus::kBlobMappable, .size = event.words[1]}).has_value();
      case Kind::kResourceGone:
        context_.resources().remove(id);
        return true;
      case Kind::kNestedCommands:
        if (const auto resource = context_.resources().find(static_cast<uint32_t>(event.words[1]))) {
          const auto to = resource->range(event.words[2], event.bytes.size());
          if (to.size() == event.bytes.size()) std::ranges::copy(event.bytes, to.begin());
        }
        return true;
      default:
        return true;
    }
  }

  // Whether there is what executes the event's commands: from now on execute() does.
  bool select(const Event& event) {
    ring_ = event.kind == Kind::kRingCommands ? context_.find_ring(event.words[0]) : nullptr;
    if (ring_ || event.kind == Kind::kContextCommands) return true;
    context_.poison({venus::PoisonReason::kBadRing, fmt::format("ring {:#x} was never made", event.words[0])});
    return false;
  }
  bool execute(std::span<const std::byte> bytes) {
    return ring_ ? ring_->execute(bytes) : context_.control_stream().execute(bytes);
  }

  // Takes notice of devices that were made since. Whether there is any.
  bool silence_new_devices() {
    for (; silenced_ < context_.devices.size(); ++silenced_) silence_all(context_.devices[silenced_].vk);
    return silenced_ != 0;
  }

  Error failure(size_t event) const {
    const venus::Poison why = context_.poison_reason();
    return {fmt::format("event {} of the recording: {}: {}", event, venus::poison_name(why.reason), why.detail), ""};
  }

 private:
  ContextImpl context_;
  venus::Ring* ring_ = nullptr;  // else the context stream
  size_t silenced_ = 0;
};

Replay::Replay(observe::Recording recording, std::unique_ptr<host::Host> host)
    : recording_(std::move(recording)), host_(std::move(host)), nested_(recording_.events.size()) {
  std::unordered_map<uint64_t, size_t> last;  // commands by ring, 0: the context stream
  for (size_t i = 0; i < recording_.events.size(); ++i) {
    const Event& event = recording_.events[i];
    if (is_commands(event.kind)) last[event.kind == Kind::kRingCommands ? event.words[0] : 0] = i;
    if (event.kind == Kind::kNestedCommands) nested_[last[event.words[0]]].push_back(&event);
  }
}

Result<Replay> Replay::load(const std::string& path) {
  auto recording = observe::read_recording(path);
  if (!recording) return std::unexpected(recording.error());
  auto host = open_host(*recording, path);
  if (!host) return std::unexpected(host.error());
  Replay replay(std::move(*recording), std::move(*host));
  Stage trial(*replay.host_);
  for (size_t i = 0; i < replay.recording_.events.size(); ++i) {
    const Event& event = replay.recording_.events[i];
    bool fine = is_commands(event.kind) || event.kind == Kind::kNestedCommands || trial.prepare(event);
    if (is_commands(event.kind)) {
      for (const Event* nested : replay.nested_[i]) trial.prepare(*nested);
      fine = trial.select(event) && trial.execute(event.bytes);
    }
    if (!fine) return std::unexpected(trial.failure(i));
    replay.measured_from_ = i + 1;
    if (trial.silence_new_devices()) return replay;
  }
  return fail(path + " ends before the guest has a device");
}

Replay::Counts Replay::count() const {
  Counts counts;
  for (size_t i = measured_from_; i < recording_.events.size(); ++i) {
    const Event& event = recording_.events[i];
    if (!is_commands(event.kind) && event.kind != Kind::kNestedCommands) continue;
    counts.bytes += event.bytes.size();
    for_each_command(event.bytes, [&](const std::string& name, std::span<const std::byte>) {
      ++counts.commands;
      ++counts.by_name[name];
    });
  }
  return counts;
}

Result<void> Replay::run(const Watch& watch) const {
  Stage stage(*host_);
  for (size_t i = 0; i < recording_.events.size(); ++i) {
    const Event& event = recording_.events[i];
    const bool measured = i >= measured_from_ && watch.begin;
    bool fine = true;
    if (is_commands(event.kind)) {
      for (const Event* nested : nested_[i]) stage.prepare(*nested);
      fine = stage.select(event);
      if (measured) watch.begin();
      fine = fine && stage.execute(event.bytes);
      if (measured) watch.end();
      stage.silence_new_devices();
    } else if (event.kind != Kind::kNestedCommands) {
      fine = stage.prepare(event);
    }
    if (!fine) return std::unexpected(stage.failure(i));
  }
  return {};
}

Result<void> Replay::run_each(const Around& around) const {
  Stage stage(*host_);
  for (size_t i = 0; i < recording_.events.size(); ++i) {
    const Event& event = recording_.events[i];
    bool fine = true;
    if (!is_commands(event.kind)) {
      if (event.kind != Kind::kNestedCommands && !stage.prepare(event)) return std::unexpected(stage.failure(i));
      continue;
    }
    size_t next_nested = 0;
    fine = stage.select(event);
    const auto one = [&](const std::string& name, std::span<const std::byte> bytes) {
      if (!fine) return;
      const auto execute = [&] { fine = stage.execute(bytes); };
      if (i >= measured_from_) {
        around(name, execute);
      } else {
        execute();
      }
      stage.silence_new_devices();
    };
    for_each_command(event.bytes, [&](const std::string& name, std::span<const std::byte> bytes) {
      if (name != "vkExecuteCommandStreamsMESA") return one(name, bytes);
      // In its place what it executes.
      for (size_t left = streams_of(bytes); left != 0 && next_nested < nested_[i].size(); --left)
        for_each_command(nested_[i][next_nested++]->bytes, one);
    });
    if (!fine) return std::unexpected(stage.failure(i));
  }
  return {};
}

}  // namespace pvgpu::bench
