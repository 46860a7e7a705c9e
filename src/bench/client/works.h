// The works' functions, one for each name in bench/works.cc.
#pragma once

#include "bench/client/bench.h"

namespace pvgpu::bench::client {

void start_up(Bench& bench);
void round_trip(Bench& bench);
void round_trip_idle(Bench& bench);
void submit(Bench& bench);
void submit_idle(Bench& bench);
void wait(Bench& bench);
void record(Bench& bench);
void threads(Bench& bench);
void draws(Bench& bench);
void descriptors(Bench& bench);
void objects(Bench& bench);
void pipelines(Bench& bench);
void memory(Bench& bench);
void transfer(Bench& bench);
void device_memory(Bench& bench);
void present(Bench& bench);

}  // namespace pvgpu::bench::client
