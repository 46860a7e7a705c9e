// A pipe, both ends close-on-exec.
#pragma once

#include "platform/error.h"
#include "platform/fd.h"

namespace pvgpu::platform {

struct Pipe {
  enum Mode { kBlocking, kNonBlocking };
  UniqueFd reader, writer;
};
Result<Pipe> create_pipe(Pipe::Mode mode = Pipe::kBlocking);

}  // namespace pvgpu::platform
