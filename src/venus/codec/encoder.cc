#include "venus/codec/encoder.h"

namespace pvgpu::venus {

template struct ChainBodies<Encoder>;
template struct ChainBodies<Encoder::Shape>;

}  // namespace pvgpu::venus
