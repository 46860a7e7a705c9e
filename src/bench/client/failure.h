// How a work gives up: it tells the runner why, with what it has measured so far, and the program
// ends at once. A driver that has failed once is not asked to clean up.
#pragma once

#include <vulkan/vulkan_core.h>

#include <functional>
#include <string>

namespace pvgpu::bench::client {

// What fail() does with its reason. Set once, before any work starts.
void on_failure(std::function<void(const std::string& why)> tell);

// From any thread.
[[noreturn]] void fail(const std::string& why);
// Fails with "`call`: VK_ERROR_…" if `result` is an error.
void check(VkResult result, const char* call);

}  // namespace pvgpu::bench::client
