// The decoder that leaves object ids as they are: for tools, traces, tests and the guest's side of
// replies.
#pragma once

#include "venus/codec/decoder.h"

namespace pvgpu::venus {

using RawDecoder = Decoder<RawHandles>;
extern template struct ChainBodies<RawDecoder>;
extern template struct ChainBodies<RawDecoder::Shape>;

}  // namespace pvgpu::venus
