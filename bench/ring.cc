// A ring end to end, with this thread as the guest: from the store of the tail to the head that says "done".
#include <benchmark/benchmark.h>

#include "venus/testing/session.h"

namespace pvgpu::bench {
namespace {

using namespace protocol;
using namespace venus::testing;

// The shortest command, one at a time: pick-up, execution, publication. The guest spins.
void RingRoundTrip(benchmark::State& state) {
  Guest guest(fake_host());
  GuestRing ring(guest, 1);
  uint32_t version = 0;
  const Bytes one = request_bytes(EnumerateInstanceVersionArgs{&version, VK_SUCCESS});
  for (auto _ : state) {
    const uint32_t seqno = ring.write(one);
    while (static_cast<int32_t>(ring.head() - seqno) < 0) {
    }
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(RingRoundTrip)->UseRealTime();

}  // namespace
}  // namespace pvgpu::bench
