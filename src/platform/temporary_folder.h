// A folder that only this user can enter and that disappears, with everything in it, with its
// owner.
#pragma once

#include <string>

#include "platform/error.h"

namespace pvgpu::platform {

// Where temporary files go: XDG_RUNTIME_DIR, else TMPDIR, else /tmp.
std::string temporary_base();

class TemporaryFolder {
 public:
  // In temporary_base().
  static Result<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace pvgpu::platform
