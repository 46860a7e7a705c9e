// The table of all functions: what they do by default, and what a test can make of them.
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "fake_driver.h"
#include "hand.h"
#include "protocol/types.h"
#include "state.h"

namespace pvgpu::fake_driver {

State& state() {
  static State* const one = new State;  // outlives every thread of the program
  return *one;
}

namespace {

struct Entry {
  const char* name;
  const char* extension;
  PFN_vkVoidFunction call;
  std::atomic<uint64_t> calls{0};
  std::atomic<int32_t> failure{0};        // VK_SUCCESS: none
  std::atomic<int64_t> failures_left{0};  // negative: no limit

  std::optional<VkResult> injected() {
    const auto result = static_cast<VkResult>(failure.load(std::memory_order_acquire));
    if (result == VK_SUCCESS) return std::nullopt;
    if (failures_left.load(std::memory_order_relaxed) < 0) return result;
    if (failures_left.fetch_sub(1, std::memory_order_relaxed) > 0) return result;
    failures_left.store(0, std::memory_order_relaxed);
    return std::nullopt;
  }
};

enum Index : size_t {
#define FAKE(function, extension, arguments) k_##function,
#include "protocol/fake_driver.inc"
#undef FAKE
  kFunctionCount
};
extern Entry entries[kFunctionCount];

// Handles point to structures that nothing defines.
template <class T>
inline constexpr bool kIsHandle = false;
template <class T>
  requires std::is_class_v<T>
inline constexpr bool kIsHandle<T*> = !requires { sizeof(T); };
template <class T>
inline constexpr bool kIsNewHandle = false;
template <class T>
inline constexpr bool kIsNewHandle<T*> = kIsHandle<T> && !std::is_const_v<T>;
template <class T>
inline constexpr bool kIsOutCount = std::is_same_v<T, uint32_t*> || std::is_same_v<T, size_t*>;

bool is_prefix(const char* prefix, const char* name) {
  return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
}

template <class T>
void check_handle(const Entry& entry, T argument) {
  if constexpr (kIsHandle<T>) {
    if (!argument) return;
    std::lock_guard lock(state().mutex);
    const auto found = state().objects.find(std::bit_cast<uint64_t>(argument));
    if (found == state().objects.end()) {
      state().wrong(std::string(entry.name) + ": a handle that does not exist");
    } else if (found->second.kind != &kKind<T>) {
      state().wrong(std::string(entry.name) + ": a handle of another type");
    }
  }
}

template <class T>
uint64_t as_handle(T argument) {
  if constexpr (kIsHandle<T>) return std::bit_cast<uint64_t>(argument);
  return 0;
}

// What a function without a meaning does: new handles are numbers, counts are zero, destroyed is
// gone.
template <class R, class... A>
R by_default(const Entry& entry, A... arguments) {
  std::lock_guard lock(state().mutex);
  const std::array<uint64_t, sizeof...(A)> handles{as_handle(arguments)...};
  const auto fill = [&](auto argument) {
    using T = decltype(argument);
    if constexpr (kIsNewHandle<T>) {
      if (argument) *argument = state().create<std::remove_pointer_t<T>>(handles[0]);
    } else if constexpr (kIsOutCount<T>) {
      if (argument) *argument = 0;
    }
  };
  (fill(arguments), ...);
  if (is_prefix("vkDestroy", entry.name) && handles.size() > 1 && handles[1])
    state().objects.erase(handles[1]);
  if constexpr (!std::is_void_v<R>) return R{};
}

std::atomic<Observer*> watching{nullptr};

template <class Args, class... A>
Args gather(A... arguments) {
  return {arguments...};
}
// Arrays of a fixed length are passed as pointers.
template <>
protocol::CmdSetBlendConstantsArgs gather(VkCommandBuffer commands, const float* c) {
  return {commands, {c[0], c[1], c[2], c[3]}};
}
template <>
protocol::CmdSetFragmentShadingRateKHRArgs gather(VkCommandBuffer commands, const VkExtent2D* size,
                                                  const VkFragmentShadingRateCombinerOpKHR* ops) {
  return {commands, size, {ops[0], ops[1]}};
}

template <size_t kIndex, auto kHand, class Args, class Function>
struct Fake;
template <size_t kIndex, auto kHand, class Args, class R, class... A>
struct Fake<kIndex, kHand, Args, R(VKAPI_PTR*)(A...)> {
  static VKAPI_ATTR R VKAPI_CALL call(A... arguments) {
    if constexpr (!std::is_void_v<Args>) {
      if (Observer* observer = watching.load(std::memory_order_acquire)) {
        auto gathered = gather<Args>(arguments...);
        if constexpr (std::is_void_v<R>) {
          act(arguments...);
        } else {
          gathered.ret = act(arguments...);
        }
        observer->called(entries[kIndex].name, &gathered);
        if constexpr (std::is_void_v<R>) {
          return;
        } else {
          return gathered.ret;
        }
      }
    }
    return act(arguments...);
  }

 private:
  static R act(A... arguments) {
    Entry& entry = entries[kIndex];
    entry.calls.fetch_add(1, std::memory_order_relaxed);
    (check_handle(entry, arguments), ...);
    if constexpr (std::is_same_v<R, VkResult>)
      if (const auto result = entry.injected()) return *result;
    if constexpr (std::is_null_pointer_v<std::remove_const_t<decltype(kHand)>>) {
      return by_default<R>(entry, arguments...);
    } else {
      return kHand(arguments...);
    }
  }
};

#define FAKE(function, extension, arguments)  \
  template <class H>                          \
  constexpr auto hand_##function() {          \
    if constexpr (requires { &H::function; }) \
      return PFN_##function{&H::function};    \
    else                                      \
      return nullptr;                         \
  }
#include "protocol/fake_driver.inc"
#undef FAKE

Entry entries[kFunctionCount] = {
#define FAKE(function, extension, arguments) \
  {#function, extension,                     \
   reinterpret_cast<PFN_vkVoidFunction>(     \
       &Fake<k_##function, hand_##function<Hand>(), arguments, PFN_##function>::call)},
#include "protocol/fake_driver.inc"
#undef FAKE
};

struct Alias {
  const char* name;
  size_t index;
};
constexpr Alias kAliases[] = {
#define ALIAS(alias, function) {#alias, k_##function},
#include "protocol/fake_driver.inc"
#undef ALIAS
};

Entry* find(const char* name) {
  for (Entry& entry : entries)
    if (std::strcmp(entry.name, name) == 0) return &entry;
  for (const Alias& alias : kAliases)
    if (std::strcmp(alias.name, name) == 0) return &entries[alias.index];
  return nullptr;
}

// "vkCreateImage=-2,vkQueueSubmit=-4"
const bool environment_read = [] {
  const char* list = std::getenv("PVGPU_FAKE_FAIL");
  for (std::string_view rest = list ? list : ""; !rest.empty();) {
    const std::string item(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    if (const size_t equals = item.find('='); equals != std::string::npos)
      fail(item.substr(0, equals).c_str(),
           static_cast<VkResult>(std::atoi(item.c_str() + equals + 1)));
  }
  return true;
}();

}  // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL Hand::vkGetInstanceProcAddr(VkInstance, const char* name) {
  const Entry* entry = find(name);
  return entry ? entry->call : nullptr;
}

// As a real driver: functions of extensions that the device has not enabled do not exist.
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL Hand::vkGetDeviceProcAddr(VkDevice device,
                                                                   const char* name) {
  const Entry* entry = find(name);
  if (!entry) return nullptr;
  std::lock_guard lock(state().mutex);
  const auto owner = state().get<Device>(device);
  return *entry->extension == '\0' || state().everything || (owner && owner->extensions.contains(entry->extension))
             ? entry->call
             : nullptr;
}

void reset() {
  for (Entry& entry : entries) {
    entry.calls = 0;
    entry.failure = VK_SUCCESS;
    entry.failures_left = 0;
  }
  hold_queues(false);
  std::lock_guard lock(state().mutex);
  state().misuse.clear();
  state().everything = false;
}

void fail(const char* function, VkResult result, uint32_t times) {
  Entry* entry = find(function);
  if (!entry) std::abort();  // the test names no function
  entry->failures_left.store(times == 0 ? -1 : int64_t{times});
  entry->failure.store(result, std::memory_order_release);
}

uint64_t calls(const char* function) {
  const Entry* entry = find(function);
  if (!entry) std::abort();
  return entry->calls.load();
}

std::string misuse() {
  std::lock_guard lock(state().mutex);
  std::string lines;
  for (const std::string& line : state().misuse) lines += line + '\n';
  return lines;
}

size_t live_objects() {
  std::lock_guard lock(state().mutex);
  return state().objects.size();
}

void hold_queues(bool hold) {
  std::lock_guard lock(state().mutex);
  state().hold = hold;
  if (!hold) state().run_held();
}

void observe(Observer* observer) {
  watching.store(observer, std::memory_order_release);
}

void number_handles_from(uint64_t handle) {
  std::lock_guard lock(state().mutex);
  state().last_handle = handle;
}

uint64_t last_handle() {
  std::lock_guard lock(state().mutex);
  return state().last_handle;
}

bool exists(uint64_t handle) {
  std::lock_guard lock(state().mutex);
  return state().objects.contains(handle);
}

void offer_everything(bool everything) {
  std::lock_guard lock(state().mutex);
  state().everything = everything;
}

std::string library_path() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<void*>(&library_path), &info);
  return info.dli_fname;
}

}  // namespace pvgpu::fake_driver

extern "C" PVGPU_FAKE_API PFN_vkVoidFunction VKAPI_CALL vkGetInstanceProcAddr(VkInstance instance,
                                                                              const char* name) {
  return pvgpu::fake_driver::Hand::vkGetInstanceProcAddr(instance, name);
}
