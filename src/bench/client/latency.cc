// The works that measure single calls: a synchronous one, and a submission that is waited for.
#include <utility>

#include "bench/client/submission.h"
#include "bench/client/works.h"

namespace pvgpu::bench::client {
namespace {

constexpr auto kNothing = [](VkCommandBuffer) {};

// Work for the GPU that takes as long as is wanted: copies of a buffer, one after the other.
class Copies {
 public:
  explicit Copies(Bench& bench)
      : gpu_(bench.gpu()),
        buffer_(gpu_, 2 * kCopied,
                VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT, 0,
                VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) {
    // Of so many that a guest's way to see their end, some hundred microseconds, does not count.
    const double enough = bench.either(0.03, 0.003);
    double seconds = 0;
    size_t count = 32;
    while (seconds < enough) {
      count *= 2;
      Submission submission = of_count(count);
      submission.submit_and_wait();
      submission.reset();
      const auto start = Clock::now();
      submission.submit_and_wait();
      seconds = seconds_since(start);
    }
    seconds_for_one_ = seconds / static_cast<double>(count);
  }

  Submission that_take(double seconds) const {
    return of_count(std::max<size_t>(1, static_cast<size_t>(seconds / seconds_for_one_ + 0.5)));
  }

 private:
  static constexpr VkDeviceSize kCopied = 256 << 10;

  Submission of_count(size_t count) const {
    return Submission(gpu_, [&](VkCommandBuffer commands) {
      const VkBufferCopy region{.dstOffset = kCopied, .size = kCopied};
      const VkMemoryBarrier barrier{
          .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
          .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
          .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT};
      for (size_t i = 0; i < count; ++i) {
        gpu_.vk.CmdCopyBuffer(commands, buffer_.buffer, buffer_.buffer, 1, &region);
        gpu_.vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                   VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &barrier, 0, nullptr, 0,
                                   nullptr);
      }
    });
  }

  const Gpu& gpu_;
  BoundBuffer buffer_;
  double seconds_for_one_ = 0;
};

}  // namespace

void round_trip(Bench& bench) {
  const RoundTrip call(bench.gpu());
  bench.sample_warm([] {}, [&] { call(); });
}

void round_trip_idle(Bench& bench) {
  const RoundTrip call(bench.gpu());
  bench.sample_idle([] {}, [&] { call(); });
}

void submit(Bench& bench) {
  Submission submission(bench.gpu(), kNothing);
  bench.sample_warm([&] { submission.reset(); }, [&] { submission.submit_and_wait(); });
}

void submit_idle(Bench& bench) {
  Submission submission(bench.gpu(), kNothing);
  bench.sample_idle([&] { submission.reset(); }, [&] { submission.submit_and_wait(); });
}

void wait(Bench& bench) {
  const Copies copies(bench);
  for (const auto& [figure, microseconds] : {std::pair{"50-us", 50.0},
                                             {"150-us", 150.0},
                                             {"300-us", 300.0},
                                             {"1-ms", 1000.0},
                                             {"3-ms", 3000.0}}) {
    // Around that, so that it does not depend on when exactly a guest looks.
    std::vector<Submission> submissions;
    for (const double part : {0.85, 0.95, 1.05, 1.15})
      submissions.push_back(copies.that_take(part * microseconds * 1e-6));
    const double a_second = bench.rate([&] {
      for (Submission& submission : submissions) {
        submission.submit_and_wait();
        submission.reset();
      }
      return submissions.size();
    });
    bench.figure(figure, 1e6 / a_second);
  }
}

}  // namespace pvgpu::bench::client
