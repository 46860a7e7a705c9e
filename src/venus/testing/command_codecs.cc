#include "venus/testing/command_codecs.h"

namespace pvgpu::venus::testing {

std::vector<CommandCodec> all_commands() {
  std::vector<CommandCodec> all;
  for (const auto slice :
       {command_slice_0(), command_slice_1(), command_slice_2(), command_slice_3()})
    all.insert(all.end(), slice.begin(), slice.end());
  return all;
}

}  // namespace pvgpu::venus::testing
