#include "venus/testing/command_codec_slice.h"

namespace pvgpu::venus::testing {

std::span<const CommandCodec> command_slice_1() {
  return command_slice<1>();
}

}  // namespace pvgpu::venus::testing
