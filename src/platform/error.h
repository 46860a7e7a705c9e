// What a user (not a guest) is told when something cannot be done: one line that says what is wrong
// and one that says what to do about it. Value type, usable from any thread.
#pragma once

#include <expected>
#include <string>

namespace pvgpu {

struct Error {
  std::string what;  // one line, no final period: "cannot listen on /run/x: address in use"
  std::string hint;  // one line, may be empty: "another server is running; pick another --socket"
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string what, std::string hint = {}) {
  return std::unexpected(Error{std::move(what), std::move(hint)});
}

}  // namespace pvgpu
