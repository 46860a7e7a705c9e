// restrict_calls by seccomp: a program of the kernel's small machine (BPF) that sees each system call's number and arguments, though
// not what pointers point to. It refuses what is listed and leaves the rest, since drivers differ in what they need. By hand, since it
// is short: a library for it would be one more that may be missing where a worker starts.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "platform/linux/refused_calls.h"
#include "platform/linux/sandbox.h"
#include "platform/sandbox.h"
#include "platform/system_call.h"

namespace pvgpu::platform {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;
#endif

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW, kRefuse = SECCOMP_RET_ERRNO | EPERM, kUnknown = SECCOMP_RET_ERRNO | ENOSYS,
                   kNobodyThere = SECCOMP_RET_ERRNO | ECONNREFUSED;
// The newest call that was looked at, mseal; here numbers are the same for all architectures. Programs do without calls that a kernel
// lacks.
constexpr uint32_t kNewestCall = 462;
// The second set of numbers of x86-64 (x32), which would be a way around all others.
constexpr uint32_t kFirstOfX32 = 0x40000000;

// Each rule leaves the call's number loaded for the next one, or ends the program.
class Filter {
 public:
  Filter() {
    load(offsetof(seccomp_data, arch));
    // The calls of 32-bit programs, which have other numbers.
    jump(BPF_JEQ, kArchitecture, 1, 0);
    end(kUnknown);
    load(offsetof(seccomp_data, nr));
    static_assert(kFirstOfX32 > kNewestCall);
    jump(BPF_JGT, kNewestCall, 0, 1);
    end(kUnknown);
  }

  void answer(uint32_t call, uint32_t answer) {
    jump(BPF_JEQ, call, 0, 1);
    end(answer);
  }
  void refuse(std::span<const unsigned> calls) {
    for (const unsigned call : calls) answer(call, kRefuse);
  }
  // `call` is refused if its argument number `argument` is one of `values` (which are 32 bits for the kernel too).
  void refuse_if(uint32_t call, unsigned argument, std::initializer_list<uint32_t> values) {
    decide(call, argument, values, kRefuse, kAllow);
  }
  // The same unless it is one of `values`.
  void refuse_unless(uint32_t call, unsigned argument, std::initializer_list<uint32_t> values) {
    decide(call, argument, values, kAllow, kRefuse);
  }
  // The same unless its first argument is `first` and its second one of `seconds`.
  void refuse_unless_pair(uint32_t call, uint32_t first, std::initializer_list<uint32_t> seconds) {
    const auto count = static_cast<uint8_t>(seconds.size());
    jump(BPF_JEQ, call, 0, static_cast<uint8_t>(count + 5));
    load(low(0));
    jump(BPF_JEQ, first, 0, static_cast<uint8_t>(count + 1));
    load(low(1));
    for (uint8_t left = count; const uint32_t second : seconds) jump(BPF_JEQ, second, left--, 0);
    end(kRefuse);
    end(kAllow);
  }
  // Unless the argument, a pointer, is null.
  void refuse_unless_null(uint32_t call, unsigned argument) {
    jump(BPF_JEQ, call, 0, 6);
    load(low(argument));
    jump(BPF_JEQ, 0, 0, 2);
    load(low(argument) + sizeof(uint32_t));
    jump(BPF_JEQ, 0, 1, 0);
    end(kRefuse);
    end(kAllow);
  }
  // Unless the argument has one of the bits of `mask`.
  void refuse_without(uint32_t call, unsigned argument, uint32_t mask) {
    jump(BPF_JEQ, call, 0, 4);
    load(low(argument));
    jump(BPF_JSET, mask, 1, 0);
    end(kRefuse);
    end(kAllow);
  }

  Result<void> enforce() {
    end(kAllow);
    const sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    const long thread = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (thread < 0) return system_error("cannot restrict system calls", errno);
    if (thread > 0) return fail("cannot restrict system calls: thread " + std::to_string(thread) + " has restricted itself");
    return {};
  }

 private:
  void decide(uint32_t call, unsigned argument, std::initializer_list<uint32_t> values, uint32_t if_listed, uint32_t otherwise) {
    const auto count = static_cast<uint8_t>(values.size());
    jump(BPF_JEQ, call, 0, static_cast<uint8_t>(count + 3));
    load(low(argument));
    for (uint8_t left = count; const uint32_t value : values) jump(BPF_JEQ, value, left--, 0);
    end(otherwise);
    end(if_listed);
  }
  // Of the argument's 64 bits; what is checked is no wider, but for pointers.
  static uint32_t low(unsigned argument) { return static_cast<uint32_t>(offsetof(seccomp_data, args) + argument * sizeof(uint64_t)); }
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

  void load(size_t offset) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset))); }
  void jump(int test, uint32_t value, uint8_t if_true, uint8_t if_false) {
    code_.push_back(BPF_JUMP(static_cast<uint16_t>(BPF_JMP | test | BPF_K), value, if_true, if_false));
  }
  void end(uint32_t answer) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, answer)); }

  std::vector<sock_filter> code_;
};

// Calls that are right with some arguments. The kernel remembers which calls are always allowed, but runs the program for these, so
// those that drivers and guests' replies need most come first.
void add_rules_for_arguments(Filter& filter) {
  const auto self = static_cast<uint32_t>(::getpid());
  // Typing into the terminal that the server was started from.
  filter.refuse_if(SYS_ioctl, 1, {TIOCSTI, TIOCLINUX, TIOCSETD, FIOSETOWN, SIOCSPGRP});
  filter.refuse_unless_null(SYS_sendto, 4);
  // NVIDIA's ray tracing does not start unless it can look for CUDA's server, which is not there for a worker, and wait for other processes
  // with CUDA. A socket of packets that is not connected reaches nobody, whatever address is sent to, and only who means a socket of that
  // rare kind comes to it; a datagram socket could reach any other.
  filter.refuse_unless_pair(SYS_socket, AF_UNIX, {SOCK_SEQPACKET, SOCK_SEQPACKET | SOCK_CLOEXEC, SOCK_SEQPACKET | SOCK_NONBLOCK,
                                                  SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK});
  filter.answer(SYS_connect, kNobodyThere);
  // Signals to others, directly and as news of a descriptor.
  filter.refuse_if(SYS_fcntl, 1, {F_SETOWN, F_SETOWN_EX});
  if (kSanitized) return;
  filter.refuse_without(SYS_clone, 0, CLONE_THREAD);
  // Its flags are in memory; libc takes clone where there is no clone3.
  filter.answer(SYS_clone3, kUnknown);
  for (const int call : {SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo})
    filter.refuse_unless(static_cast<uint32_t>(call), 0, {self});
  filter.refuse_unless(SYS_prlimit64, 0, {0, self});
  // Whether two descriptors are the same, which drivers ask of their own.
  filter.refuse_unless(SYS_kcmp, 0, {self});
  // It ends with its server.
  filter.refuse_if(SYS_prctl, 0, {PR_SET_PDEATHSIG, PR_SET_PTRACER});
}

}  // namespace

Result<std::string> call_restriction() {
  const uint32_t action = SECCOMP_RET_ERRNO;
  if (kArchitecture != 0 && ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0) return "seccomp";
  return fail(kArchitecture == 0 ? "system calls are restricted on x86-64 and arm64 only" : "this kernel has no seccomp filters");
}

Result<void> restrict_calls() {
  if (const auto possible = call_restriction(); !possible) return std::unexpected(possible.error());
  if (auto given_up = give_up_new_privileges(); !given_up) return given_up;
  Filter filter;
  add_rules_for_arguments(filter);
  filter.refuse(kRefusedCalls);
  if (!kSanitized) filter.refuse(kCallsForProcesses);
  return filter.enforce();
}

}  // namespace pvgpu::platform
