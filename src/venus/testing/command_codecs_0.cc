#include "venus/testing/command_codec_slice.h"

namespace pvgpu::venus::testing {

std::span<const CommandCodec> command_slice_0() {
  return command_slice<0>();
}

}  // namespace pvgpu::venus::testing
