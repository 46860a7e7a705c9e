// In builds without the headers of libvncserver.
#include "display/vnc_sink.h"

namespace pvgpu::display {
namespace {

std::unexpected<Error> missing() {
  return fail("this pvgpu was built without VNC", "build it with libvncserver's headers (Debian: libvncserver-dev), or use --display png:FOLDER");
}

}  // namespace

Result<void> check_vnc(const std::string&) { return missing(); }

Result<VncDisplay> open_vnc_sink(const std::string&, uint16_t, virtio_gpu::DisplaySize) { return missing(); }

}  // namespace pvgpu::display
