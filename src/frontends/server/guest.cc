#include "frontends/server/guest.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "frontends/vtest/renderer.h"
#include "frontends/vtest/session.h"
#include "observe/latency.h"
#include "observe/log.h"
#include "observe/recording.h"
#include "venus/context.h"

namespace pvgpu::frontends::server {
namespace {

venus::Context::Options context_options(const GuestInfo& guest, const Observation& observation, int socket) {
  venus::Context::Options options;
  options.arrivals = socket;
  if (!observation.record.empty()) {
    auto recorder = observe::Recorder::create(observe::recording_path(observation.record, guest.number));
    if (recorder) {
      options.recorder = std::move(*recorder);
    } else {
      LOG_ERROR("{}; the guest is served without", recorder.error().what);
    }
  }
  if (!observation.latency.empty())
    options.latency = std::make_shared<observe::LatencyReport>(observation.latency, fmt::format("pid {}", guest.pid));
  return options;
}

}  // namespace

ClientEnd serve_guest(host::Host& host, platform::UniqueFd socket, const GuestInfo& guest, const Observation& observation) {
  const bool own_process = guest.own_process;
  std::string who = fmt::format("pid {}", guest.pid);
  const int descriptor = socket.get();  // the session's from here on, and the contexts' within it
  vtest::Session session(std::move(socket), {.make_renderer = vtest::venus_renderers(host, context_options(guest, observation, descriptor)),
                                             .capset = venus::capset(),
                                             .on_name = [&](const std::string& name) {
                                               who = fmt::format("{} {}", name, guest.pid);
                                               if (own_process) observe::set_tag(who);
                                               LOG_DEBUG("guest {} introduced itself", who);
                                             }});
  auto poison = session.run();
  if (!poison && session.refused_capset()) {
    LOG_WARN("{}left without a single command once it knew what this host speaks (wire format 1): Mesa older than 23.2 cannot "
             "use it; install a newer Mesa in the guest", own_process ? "" : who + " ");
  }
  if (!poison) return ClientEnd::kClosed;
  // A context logs its own mistakes where they happen, on whichever thread.
  if (!session.renderer_poisoned()) {
    LOG_ERROR("{}stopped: {}: {}", own_process ? "" : who + " ", venus::poison_name(poison->reason),
              poison->detail);
  }
  return ClientEnd::kPoisoned;
}

}  // namespace pvgpu::frontends::server
