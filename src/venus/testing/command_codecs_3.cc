#include "venus/testing/command_codec_slice.h"

namespace pvgpu::venus::testing {

std::span<const CommandCodec> command_slice_3() {
  return command_slice<3>();
}

}  // namespace pvgpu::venus::testing
