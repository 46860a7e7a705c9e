// A fuzz target without a fuzzer: as many runs as it is told, each of bytes that its number determines; or the bytes of files.
//
//   TARGET [--runs N] [--first N] [--most BYTES]      a run that fails is printed before: --first N --runs 1 repeats it
//   TARGET FILE...
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/target.h"

namespace {

uint64_t current_run;
void say_which(int signal) {
  char text[96];
  const int length = std::snprintf(text, sizeof text, "fuzz: run %llu; --first %llu --runs 1 repeats it\n",
                                   static_cast<unsigned long long>(current_run), static_cast<unsigned long long>(current_run));
  static_cast<void>(!write(2, text, static_cast<size_t>(length)));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

std::vector<std::byte> bytes_of_run(uint64_t number, size_t most) {
  std::mt19937_64 random(number);
  std::vector<std::byte> bytes(1 + random() % most);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

void run_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", name);
    std::exit(2);
  }
  const std::vector<char> content(std::istreambuf_iterator<char>(file), {});
  pvgpu::fuzz::run(std::as_bytes(std::span(content)));
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t first = 0, runs = 1000;
  size_t most = 16384;
  bool files = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      run_file(argv[i]);
      files = true;
      continue;
    }
    uint64_t* number = word == "--runs" ? &runs : word == "--first" ? &first : nullptr;
    const char* value = i + 1 < argc ? argv[++i] : nullptr;
    if (!value || (!number && word != "--most")) {
      std::fprintf(stderr, "usage: %s [--runs N] [--first N] [--most BYTES] | FILE...\n", argv[0]);
      return 2;
    }
    if (number) *number = std::strtoull(value, nullptr, 0);
    else most = std::strtoull(value, nullptr, 0);
  }
  if (files) return 0;
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS}) std::signal(signal, say_which);
  for (current_run = first; current_run < first + runs; ++current_run) {
    pvgpu::fuzz::run(bytes_of_run(current_run, most));
  }
  std::printf("%llu runs\n", static_cast<unsigned long long>(runs));
  return 0;
}
