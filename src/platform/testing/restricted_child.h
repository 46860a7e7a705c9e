// For tests of the sandbox: a child process in which calls are made, and told which of them did not end as they should.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace pvgpu::platform::testing {

// Builds with a sanitizer are left what its runtime does with processes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kProcessesAreLeft = true;
#else
inline constexpr bool kProcessesAreLeft = false;
#endif

class Findings {
 public:
  // `result`: what a system call returned just now.
  void refused(const char* call, long result, int error = EPERM) {
    const int got = errno;
    if (result == -1 && got == error) return;
    std::fprintf(stderr, "%s: %ld, %s, not refused with \"%s\"\n", call, result, std::strerror(got), std::strerror(error));
    ++count_;
  }
  void works(const char* call, bool worked) {
    if (worked) return;
    std::fprintf(stderr, "%s: %s\n", call, std::strerror(errno));
    ++count_;
  }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

// Runs `body(findings)` in a child.
template <class Body>
void in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    Findings findings;
    body(findings);
    ::_exit(findings.count() == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "standard error tells what was found";
}

}  // namespace pvgpu::platform::testing
