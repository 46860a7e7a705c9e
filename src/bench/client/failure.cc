#include "bench/client/failure.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "host/result_name.h"

namespace pvgpu::bench::client {
namespace {

std::function<void(const std::string&)>& teller() {
  static std::function<void(const std::string&)> tell;
  return tell;
}

}  // namespace

void on_failure(std::function<void(const std::string&)> tell) {
  teller() = std::move(tell);
}

void fail(const std::string& why) {
  // Of several threads that fail, one tells; the others stay here until the program has ended.
  static std::mutex only_one;
  only_one.lock();
  if (teller()) teller()(why);
  std::fflush(stdout);
  std::_Exit(EXIT_FAILURE);
}

void check(VkResult result, const char* call) {
  if (result < 0) fail(std::string(call) + ": " + host::result_name(result));
}

}  // namespace pvgpu::bench::client
