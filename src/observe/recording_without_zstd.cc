// For builds without zstd, which recordings are compressed with.
#include "observe/recording.h"

namespace pvgpu::observe {
namespace {

std::unexpected<Error> unavailable(const char* what) {
  return fail(std::string("this build of pvgpu cannot ") + what + " recordings", "build it with zstd installed");
}

}  // namespace

Result<std::unique_ptr<Recorder>> Recorder::create(const std::string&) { return unavailable("make"); }
Result<Recording> read_recording(const std::string&) { return unavailable("read"); }

}  // namespace pvgpu::observe
