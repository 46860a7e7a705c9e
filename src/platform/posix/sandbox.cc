// Instead of a system's own: POSIX has no way to give rights up for good.
#include "platform/sandbox.h"

namespace pvgpu::platform {
namespace {

std::unexpected<Error> none() { return fail("this build of pvgpu has no sandbox", "--sandbox off, or a build for this system's own kind"); }

}  // namespace

const bool kSandboxIsTried = false;

Result<std::string> file_restriction() { return none(); }
Result<std::string> call_restriction() { return none(); }
Result<void> restrict_files(const std::vector<std::string>&) { return none(); }
Result<void> restrict_calls() { return none(); }

}  // namespace pvgpu::platform
