#include "venus/testing/command_codec_slice.h"

namespace pvgpu::venus::testing {

std::span<const CommandCodec> command_slice_2() {
  return command_slice<2>();
}

}  // namespace pvgpu::venus::testing
