// System calls, checked: `retry` repeats a call that a signal interrupted, `system_error` turns
// errno into the line that a user reads. Usable from any thread.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>

#include "platform/error.h"

namespace pvgpu::platform {

// Calls `call` until it fails for another reason than EINTR or succeeds. Not for close(2), whose
// descriptor is gone even when it is interrupted.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result == decltype(result)(-1) && errno == EINTR) result = call();
  return result;
}

// The system's words for `error_number`: "no such file or directory".
std::string error_text(int error_number);
// "`what`: no such file or directory", for the errno value given; fills Error::hint with `hint`.
std::unexpected<Error> system_error(std::string_view what, int error_number, std::string hint = {});

}  // namespace pvgpu::platform
