// What systemd and its kin offer a service: being told that it is ready, and a socket that they
// opened for it. Both are plain environment variables; without them nothing happens. Main thread
// only.
#pragma once

#include <optional>
#include <string_view>

#include "platform/fd.h"

namespace pvgpu::platform {

// Sends `state` ("READY=1") to the socket in NOTIFY_SOCKET, if there is one.
void notify_service_manager(std::string_view state);
// The first socket of LISTEN_FDS, if the variables are meant for this process. Takes the variables
// out of the environment, so that no child believes in them.
std::optional<UniqueFd> socket_of_service_manager();

}  // namespace pvgpu::platform
