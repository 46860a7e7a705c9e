// In builds without libpng.
#include "display/png_sink.h"

namespace pvgpu::display {
namespace {

std::unexpected<Error> missing() { return fail("this pvgpu was built without PNG", "build it with libpng (Debian: libpng-dev), or use --display vnc:HOST:PORT"); }

}  // namespace

Result<void> check_png() { return missing(); }

Result<std::unique_ptr<virtio_gpu::DisplaySink>> open_png_sink(const std::filesystem::path&) { return missing(); }

}  // namespace pvgpu::display
