// How a user's mistake, or this host's, is told: what is wrong on one line, what to do on the next.
#pragma once

#include "platform/error.h"

namespace pvgpu::observe {

// On standard error, whatever the log level. Prints nothing for an error without text: somebody
// else, such as a child process, has told the user already.
void print_error(const Error& error);

}  // namespace pvgpu::observe
