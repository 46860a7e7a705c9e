// The frame of the `corners` program: each corner is a small use of one part of Vulkan, registered
// under a name, that says what it computed. Guest tests run it natively and through pvgpu and
// compare the lines, so a corner says nothing that may differ between two runs on one driver.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "../vulkan_client.h"

namespace corners {

// Thrown where the device lacks what the corner is about; its lines are then "absent: WHAT" alone.
struct Absent {
  std::string what;
};

struct Registered {
  Registered(const char* name, void (*run)());
};
#define CORNER(name)                                               \
  static void name();                                              \
  static const corners::Registered registered_##name{#name, name}; \
  static void name()

// One line of a corner's result.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);
// Says what bytes these are, short. Any change of any byte changes it.
void say_bytes(const char* what, const void* bytes, size_t size);
template <class Range>
void say_bytes(const char* what, const Range& range) {
  const std::span span(range);
  say_bytes(what, span.data(), span.size_bytes());
}

// Ends the program unless `right`.
void expect(bool right, const char* what);

// Where corners keep what a later run of the program is to find; empty if this run keeps nothing.
const std::string& state_folder();

}  // namespace corners
