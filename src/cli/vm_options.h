// The command lines of `pvgpu vm` and `pvgpu qemu-args`.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/vm.h"

namespace pvgpu::cli {

CLI::App* add_vm(CLI::App& app, VmOptions& options);
CLI::App* add_qemu_args(CLI::App& app, VmOptions& options);

}  // namespace pvgpu::cli
