// Tells whether two descriptors, which may have come by different ways, are of one file. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pvgpu::platform {

struct FileIdentity {
  uint64_t device = 0, inode = 0;
  std::string object;  // the name of shared memory where the system gives that no inode, else ""
  bool operator==(const FileIdentity&) const = default;
};

// nullopt: the descriptor is not open, or of something that cannot be told from others of its kind.
std::optional<FileIdentity> file_identity(int fd);

}  // namespace pvgpu::platform
