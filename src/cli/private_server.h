// A `pvgpu serve` (or `pvgpu device`) of this program's own, in a temporary folder, for as long as the object lives. For the main thread.
#pragma once

#include <string>
#include <vector>

#include "platform/error.h"
#include "platform/process.h"
#include "platform/signals.h"
#include "platform/temporary_folder.h"

namespace pvgpu::cli {

class PrivateServer {
 public:
  // Returns once guests can connect. `arguments`: --gpu, --log-level … An error without text has been told to the user
  // already: by the server, or it is one of `signals`, which came first.
  static Result<PrivateServer> start(const std::vector<std::string>& arguments, const platform::SignalQueue& signals,
                                     const std::string& subcommand = "serve");
  PrivateServer(PrivateServer&&) = default;
  // Stops the server.
  ~PrivateServer();

  const std::string& socket_path() const { return socket_path_; }
  // Whether window systems can take the memory that guests get.
  bool memory_is_dma_buf() const { return memory_is_dma_buf_; }
  // Until `program`, which uses the server, ends. Signals are passed on to it, but for the terminal's, which reach it anyway.
  platform::ExitStatus wait_beside(platform::ChildProcess& program, const platform::SignalQueue& signals);

 private:
  PrivateServer(platform::TemporaryFolder folder, std::string socket_path, platform::ChildProcess process)
      : folder_(std::move(folder)), socket_path_(std::move(socket_path)), process_(std::move(process)) {}

  platform::TemporaryFolder folder_;
  std::string socket_path_;
  platform::ChildProcess process_;
  bool memory_is_dma_buf_ = false;
};

}  // namespace pvgpu::cli
