// virglrenderer's vtest server, which `pvgpu bench` compares ours with, for as long as the object
// lives. Main thread.
#pragma once

#include <string>

#include "platform/error.h"
#include "platform/process.h"
#include "platform/temporary_folder.h"

namespace pvgpu::cli {

class PeerServer {
 public:
  // Returns once guests can connect. The error says why there is nothing to compare with.
  static Result<PeerServer> start(const std::string& program);
  PeerServer(PeerServer&&) = default;
  // Ends the server and all that it has started.
  ~PeerServer();

  const std::string& socket_path() const { return socket_path_; }

 private:
  PeerServer(platform::TemporaryFolder folder, std::string socket_path,
             platform::ChildProcess process)
      : folder_(std::move(folder)),
        socket_path_(std::move(socket_path)),
        process_(std::move(process)) {}

  platform::TemporaryFolder folder_;
  std::string socket_path_;
  platform::ChildProcess process_;
};

}  // namespace pvgpu::cli
