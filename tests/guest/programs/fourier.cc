// Fourier transforms by VkFFT, which writes a compute shader for each size and compiles it at run
// time. Each case transforms pseudo-random numbers forwards and back; the results must be those of
// a transform on the processor, and the numbers themselves. Prints a digest of each result.
#include <vkFFT.h>

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <span>
#include <vector>

#include "vulkan_client.h"

namespace {

using Complex = std::complex<double>;

// The extent in each direction; the first is contiguous. Directions that are not there are 1.
using Size = std::array<uint64_t, 3>;

// Powers of two, in one shader and in several; other radices; a prime; several directions.
constexpr std::array<Size, 8> kSizes{
    {{1024}, {65536}, {1000}, {729}, {37}, {64, 48}, {33, 7, 10}, {512, 16}}};
constexpr double kLargestError = 2e-6;

// `count` numbers, each `stride` after the one before, from `in` to `out`: by the smallest divisor.
void transform(const Complex* in, uint64_t stride, Complex* out, uint64_t count) {
  if (count == 1) {
    *out = *in;
    return;
  }
  uint64_t radix = 2;
  while (count % radix != 0) ++radix;
  const uint64_t part = count / radix;
  std::vector<Complex> parts(count);
  for (uint64_t i = 0; i < radix; ++i) {
    transform(in + i * stride, stride * radix, parts.data() + i * part, part);
  }
  for (uint64_t k = 0; k < count; ++k) {
    Complex sum = 0;
    for (uint64_t i = 0; i < radix; ++i) {
      const double turns = static_cast<double>(i * k % count) / static_cast<double>(count);
      sum += std::polar(1.0, -2 * std::numbers::pi * turns) * parts[i * part + k % part];
    }
    out[k] = sum;
  }
}

// In place, in all directions.
void transform(std::vector<Complex>& values, const Size& size) {
  uint64_t stride = 1;
  for (uint64_t count : size) {
    std::vector<Complex> line(count);
    for (uint64_t start = 0; start < values.size(); ++start) {
      if (start / stride % count != 0) continue;
      transform(values.data() + start, stride, line.data(), count);
      for (uint64_t i = 0; i < count; ++i) values[start + i * stride] = line[i];
    }
    stride *= count;
  }
}

std::vector<Complex> pseudo_random(uint64_t count) {
  std::vector<Complex> values(count);
  uint32_t state = 1;
  const auto next = [&] {
    state = state * 1664525 + 1013904223;
    return static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  };
  for (Complex& value : values) {
    const float real = next();
    value = {real, next()};
  }
  return values;
}

double error(std::span<const std::complex<float>> values, std::span<const Complex> expected) {
  double difference = 0, square = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference += std::norm(Complex(values[i]) - expected[i]);
    square += std::norm(expected[i]);
  }
  return std::sqrt(difference / square);
}

uint64_t digest(std::span<const std::complex<float>> values) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte byte : std::as_bytes(values)) {
    hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  }
  return hash;
}

void succeed(VkFFTResult result, const char* call) {
  if (result == VKFFT_SUCCESS) return;
  std::fprintf(stderr, "%s: VkFFTResult %d\n", call, result);
  std::exit(1);
}

VkFFTApplication plan(client::Device& device, VkFence& fence, client::Buffer& buffer,
                      const Size& size) {
  VkFFTConfiguration configuration{};
  for (uint64_t count : size) {
    if (count > 1) configuration.size[configuration.FFTdim++] = count;
  }
  configuration.physicalDevice = &device.physical;
  configuration.device = &device.device;
  configuration.queue = &device.queue;
  configuration.commandPool = &device.commands;
  configuration.fence = &fence;
  configuration.buffer = &buffer.buffer;
  configuration.bufferSize = &buffer.size;
  configuration.normalize = 1;
  VkFFTApplication application{};
  succeed(initializeVkFFT(&application, configuration), "initializeVkFFT");
  return application;
}

void run(const client::Device& device, VkFFTApplication& application, int direction) {
  client::run(device, [&](VkCommandBuffer commands) {
    client::full_barrier(commands);
    VkFFTLaunchParams launch{};
    launch.commandBuffer = &commands;
    succeed(VkFFTAppend(&application, direction, &launch), "VkFFTAppend");
    client::full_barrier(commands);
  });
}

void check_case(client::Device& device, VkFence& fence, Size size) {
  for (uint64_t& count : size) count = std::max<uint64_t>(count, 1);
  const std::vector<Complex> input = pseudo_random(size[0] * size[1] * size[2]);
  std::vector<Complex> expected = input;
  transform(expected, size);

  client::Buffer buffer =
      client::make_buffer(device, input.size() * sizeof(std::complex<float>),
                          VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                              VK_BUFFER_USAGE_TRANSFER_DST_BIT);
  const std::span values(static_cast<std::complex<float>*>(buffer.mapped), input.size());
  for (size_t i = 0; i < input.size(); ++i) values[i] = std::complex<float>(input[i]);
  VkFFTApplication application = plan(device, fence, buffer, size);
  std::printf("%ux%ux%u:", static_cast<unsigned>(size[0]), static_cast<unsigned>(size[1]),
              static_cast<unsigned>(size[2]));
  for (const int direction : {-1, 1}) {
    run(device, application, direction);
    const double found = error(values, direction < 0 ? expected : input);
    std::printf(" %016llx error %.1e", static_cast<unsigned long long>(digest(values)), found);
    if (!(found < kLargestError))
      client::fail(direction < 0 ? "\nforwards: wrong" : "\nback: wrong");
  }
  std::puts("");
  deleteVkFFT(&application);
  client::destroy(device, buffer);
}

}  // namespace

int main() {
  client::Device device = client::open("fourier");
  const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
  VkFence fence;
  client::check(vkCreateFence(device.device, &info, nullptr, &fence), "vkCreateFence");
  for (const Size& size : kSizes) check_case(device, fence, size);
  vkDestroyFence(device.device, fence, nullptr);
  client::close(device);
}
