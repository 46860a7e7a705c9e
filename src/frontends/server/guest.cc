#include "frontends/server/guest.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "frontends/vtest/renderer.h"
#include "frontends/vtest/session.h"
#include "observe/log.h"
#include "venus/context.h"

namespace pvgpu::frontends::server {

ClientEnd serve_guest(host::Host& host, platform::UniqueFd socket, pid_t guest_pid,
                      bool own_process) {
  std::string who = fmt::format("pid {}", guest_pid);
  vtest::Session session(std::move(socket), {.make_renderer = vtest::venus_renderers(host),
                                             .capset = venus::capset(),
                                             .on_name = [&](const std::string& name) {
                                               who = fmt::format("{} {}", name, guest_pid);
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
