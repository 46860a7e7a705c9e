// A Vulkan driver without a GPU, for tests: every function of the registry, callable without a
// loader (HostOptions::loader_path names the library). Objects are numbers, queues run fills and
// copies on the CPU at submission, everything else succeeds and does nothing. It watches its
// caller: a handle that does not exist, an object that is left behind by its device, or a wait for
// what nothing signals is misuse.
//
// A test that links the library controls it with the functions below; those of one process share
// one driver. Another process is controlled by $PVGPU_FAKE_FAIL="vkCreateImage=-2,...".
// Thread-safe.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <string>

namespace pvgpu::fake_driver {

#define PVGPU_FAKE_API __attribute__((visibility("default")))

// Forgets failures, counts and misuse. Objects stay.
PVGPU_FAKE_API void reset();
// The next `times` calls of `function` return `result` without doing anything. `times` 0: all
// calls.
PVGPU_FAKE_API void fail(const char* function, VkResult result, uint32_t times = 0);
// Calls of `function` since the last reset.
PVGPU_FAKE_API uint64_t calls(const char* function);
// What the caller did wrong since the last reset, one line each; empty: nothing.
PVGPU_FAKE_API std::string misuse();
// Objects of all types that exist now, instances and devices included.
PVGPU_FAKE_API size_t live_objects();
// Submissions stay queued, and fences unsignalled, until they are let go or the caller waits for
// idle.
PVGPU_FAKE_API void hold_queues(bool hold);
// Whether devices have every extension and every queue that is asked for, whatever is listed. Until the next reset.
PVGPU_FAKE_API void offer_everything(bool everything);

// Sees every call of a function that the protocol carries. `arguments` points to the function's
// argument structure of protocol/types.h, whose pointers are the caller's own. On the thread that
// calls.
class Observer {
 public:
  // The driver is done. What is changed in the result and in outputs, the caller gets.
  virtual void called(const char* function, void* arguments) = 0;

 protected:
  ~Observer() = default;
};
// nullptr: nobody any more.
PVGPU_FAKE_API void observe(Observer* observer);
// Handles of new objects are this far apart.
inline constexpr uint64_t kHandleStep = 0x10;
// The next new object gets the handle after this one, and so on. The caller sees to it that no
// object has those.
PVGPU_FAKE_API void number_handles_from(uint64_t handle);
// The handle of the object made last.
PVGPU_FAKE_API uint64_t last_handle();
PVGPU_FAKE_API bool exists(uint64_t handle);

// The path of this library, for HostOptions::loader_path.
PVGPU_FAKE_API std::string library_path();

}  // namespace pvgpu::fake_driver
