// `pvgpu run`: a private server and one program that uses it.
#pragma once

#include <string>
#include <vector>

#include "platform/error.h"

namespace pvgpu::cli {

struct RunOptions {
  std::vector<std::string> program;           // and its arguments; never empty
  std::string icd;                            // manifest of the Venus driver; empty: look for it
  std::vector<std::string> server_arguments;  // --gpu, --log-level … for `pvgpu serve`
};

// The exit code: the program's own, 128 + N after signal N, 127 or 126 if it cannot be run. An
// error with an empty text has been told to the user already. Main thread, before any other exists.
Result<int> run(const RunOptions& options);

}  // namespace pvgpu::cli
