#include "venus/codec/raw_decoder.h"

namespace pvgpu::venus {

template struct ChainBodies<RawDecoder>;
template struct ChainBodies<RawDecoder::Shape>;

}  // namespace pvgpu::venus
