// corners [--state FOLDER] [NAME...]: runs the corners of these names, or all; --list names them.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <map>
#include <string_view>
#include <vector>

#include "corner.h"

namespace corners {
namespace {

using Corners = std::map<std::string_view, void (*)()>;
Corners& all() {
  static Corners corners;
  return corners;
}

std::string& state() {
  static std::string folder;
  return folder;
}

void run(std::string_view name) {
  const auto found = all().find(name);
  if (found == all().end()) client::fail("no corner of this name; --list names them");
  std::printf("== %s\n", found->first.data());
  try {
    found->second();
  } catch (const Absent& absent) {
    say("absent: %s", absent.what.c_str());
  }
}

}  // namespace

Registered::Registered(const char* name, void (*run)()) {
  all().emplace(name, run);
}

void say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::putchar('\n');
}

void say_bytes(const char* what, const void* bytes, size_t size) {
  uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<const uint8_t*>(bytes)[i]) * 1099511628211u;
  }
  say("%s: %zu bytes, %016llx", what, size, static_cast<unsigned long long>(hash));
}

void expect(bool right, const char* what) {
  if (!right) client::fail(what);
}

const std::string& state_folder() {
  return state();
}

}  // namespace corners

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a corner that crashes has said what came before
  std::vector<std::string_view> names;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--list") == 0) {
      for (const auto& [name, run] : corners::all()) std::puts(name.data());
      return 0;
    }
    if (std::strcmp(argv[i], "--state") == 0 && i + 1 < argc) {
      corners::state() = argv[++i];
    } else {
      names.push_back(argv[i]);
    }
  }
  if (names.empty()) {
    for (const auto& [name, run] : corners::all()) names.push_back(name);
  }
  for (std::string_view name : names) corners::run(name);
}
