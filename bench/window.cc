// What a mapping in a virtual machine's window costs on our side: the driver's commands come through its queue, the vhost-user session
// asks the front-end to map and to unmap, and the driver gets its answers. The front-end maps nothing, so what QEMU and its guest need is
// not in it; the switches between the threads of both are.
#include <benchmark/benchmark.h>

#include <future>

#include "frontends/vhost_user/session.h"
#include "frontends/vhost_user/testing/frontend.h"
#include "frontends/vhost_user/testing/plain_renderer.h"

namespace pvgpu::bench {
namespace {

using frontends::vhost_user::Session;
using frontends::vhost_user::testing::Frontend;
using frontends::vhost_user::testing::PlainRenderer;
using virtio_gpu::Command;

void WindowMapAndUnmap(benchmark::State& state) {
  const auto bytes = static_cast<uint64_t>(state.range(0));
  auto pair = platform::socket_pair();
  auto session = std::async(std::launch::async, [bytes, socket = std::move(pair->second)]() mutable {
    auto loop = platform::EventLoop::create();
    Session::Options options;
    options.device.make_renderer = [](const std::string&) { return std::make_unique<PlainRenderer>(); };
    options.device.window_bytes = 2 * bytes;
    options.memory_slots = true;
    return Session(**loop, std::move(socket), std::move(options)).run();
  });
  {
    Frontend frontend(std::move(pair->first));
    frontend.start();
    frontend.call(Command::kCtxCreate, virtio_gpu::CtxCreate{.context_init = 4}, 1);
    frontend.call(Command::kResourceCreateBlob, virtio_gpu::ResourceCreateBlob{1, 2, 1, 0, 0, bytes}, 1);
    const auto execute = [&](Command command, const auto& body) {
      frontend.put_request(command, body);
      platform::ring_doorbell(frontend.kick_button());
      frontend.answer_window(frontend.window_request(), 0);
      if (frontend.answer() != virtio_gpu::Response::kOkNoData && command == Command::kResourceUnmapBlob)
        state.SkipWithError("a mapping was refused");
    };
    for (auto _ : state) {
      execute(Command::kResourceMapBlob, virtio_gpu::ResourceMapBlob{1, 0, 0});
      execute(Command::kResourceUnmapBlob, virtio_gpu::ResourceId{1, 0});
    }
  }
  session.wait();
}

BENCHMARK(WindowMapAndUnmap)->Arg(4096)->Arg(64 << 20)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace pvgpu::bench
