#include "costs.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <vector>

namespace pvgpu::bench {
namespace {

constinit thread_local Costs own;
constinit std::atomic<uint64_t> held{0};

void* allocated(void* memory) {
  ++own.allocations;
  if (memory) held.fetch_add(::malloc_usable_size(memory), std::memory_order_relaxed);
  return memory;
}
void released(void* memory) {
  if (memory) held.fetch_sub(::malloc_usable_size(memory), std::memory_order_relaxed);
}

// The function that ours hides.
template <class Function>
Function real(const char* name) {
  void* found = ::dlsym(RTLD_NEXT, name);
  if (!found) std::abort();
  return reinterpret_cast<Function>(found);
}

}  // namespace

// System call `number` with `a` to `f`, made at an address that the filter lets pass.
extern "C" long pvgpu_bench_system_call(long number, long a, long b, long c, long d, long e, long f);
extern "C" const char pvgpu_bench_system_call_made[];

#if defined(__x86_64__)
asm(R"(
.pushsection .text
pvgpu_bench_system_call:
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
pvgpu_bench_system_call_made:
  ret
.popsection
)");
#elif defined(__aarch64__)
asm(R"(
.pushsection .text
pvgpu_bench_system_call:
  mov x8, x0
  mov x0, x1
  mov x1, x2
  mov x2, x3
  mov x3, x4
  mov x4, x5
  mov x5, x6
  svc #0
pvgpu_bench_system_call_made:
  ret
.popsection
)");
#endif

namespace {

// Where the processor keeps a system call's arguments and result.
#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
long repeat(ucontext_t& context, long number) {
  auto& r = context.uc_mcontext.gregs;
  return r[REG_RAX] = pvgpu_bench_system_call(number, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]);
}
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
long repeat(ucontext_t& context, long number) {
  auto& r = context.uc_mcontext.regs;
  const auto result = pvgpu_bench_system_call(number, static_cast<long>(r[0]), static_cast<long>(r[1]), static_cast<long>(r[2]),
                                              static_cast<long>(r[3]), static_cast<long>(r[4]), static_cast<long>(r[5]));
  r[0] = static_cast<unsigned long long>(result);
  return result;
}
#endif

void on_system_call(int, siginfo_t* info, void* context) {
  ++own.system_calls;
  repeat(*static_cast<ucontext_t*>(context), info->si_syscall);
}

}  // namespace

Costs costs() { return own; }
uint64_t heap_bytes() { return held.load(std::memory_order_relaxed); }

bool count_system_calls() {
  struct sigaction action{};
  action.sa_sigaction = on_system_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (::sigaction(SIGSYS, &action, nullptr) != 0) return false;
  const auto made = reinterpret_cast<uint64_t>(pvgpu_bench_system_call_made);
  constexpr auto word = [](size_t offset) { return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset))); };
  constexpr auto unless_equal_skip = [](uint32_t value, uint8_t skipped) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped));
  };
  const sock_filter let_pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  std::vector<sock_filter> filter = {
      word(offsetof(seccomp_data, arch)), unless_equal_skip(kArchitecture, 5),
      // What the handler makes itself.
      word(offsetof(seccomp_data, instruction_pointer)), unless_equal_skip(static_cast<uint32_t>(made), 3),
      word(offsetof(seccomp_data, instruction_pointer) + 4), unless_equal_skip(static_cast<uint32_t>(made >> 32), 1), let_pass,
      word(offsetof(seccomp_data, nr))};
  // Left alone, because they mean something else within a handler.
  for (const uint32_t number : {__NR_rt_sigreturn, __NR_rt_sigprocmask, __NR_clone, __NR_clone3, __NR_exit, __NR_exit_group}) {
    filter.push_back(unless_equal_skip(number, 1));
    filter.push_back(let_pass);
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace pvgpu::bench

// -- in the place of the C library's --

#define INSTEAD extern "C" [[gnu::visibility("default")]]

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

using pvgpu::bench::allocated;
using pvgpu::bench::released;

INSTEAD void* malloc(size_t size) { return allocated(__libc_malloc(size)); }
INSTEAD void* calloc(size_t count, size_t size) { return allocated(__libc_calloc(count, size)); }
INSTEAD void* realloc(void* memory, size_t size) {
  released(memory);
  return allocated(__libc_realloc(memory, size));
}
INSTEAD void* memalign(size_t alignment, size_t size) { return allocated(__libc_memalign(alignment, size)); }
INSTEAD void* aligned_alloc(size_t alignment, size_t size) { return allocated(__libc_memalign(alignment, size)); }
INSTEAD int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = allocated(__libc_memalign(alignment, size));
  return *memory ? 0 : ENOMEM;
}
INSTEAD void free(void* memory) {
  released(memory);
  __libc_free(memory);
}

// Locks: what std::mutex, std::shared_mutex and std::condition_variable come down to.
#define COUNTED_LOCK(function, Object)                                                        \
  INSTEAD int function(Object* object) {                                                      \
    static const auto hidden = pvgpu::bench::real<int (*)(Object*)>(#function);               \
    ++pvgpu::bench::own.locks;                                                                \
    return hidden(object);                                                                    \
  }
COUNTED_LOCK(pthread_mutex_lock, pthread_mutex_t)
COUNTED_LOCK(pthread_mutex_trylock, pthread_mutex_t)
COUNTED_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
COUNTED_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
COUNTED_LOCK(pthread_cond_signal, pthread_cond_t)
COUNTED_LOCK(pthread_cond_broadcast, pthread_cond_t)
