#include "platform/system_call.h"

#include <system_error>

namespace pvgpu::platform {

std::string error_text(int error_number) {
  std::string text = std::system_category().message(error_number);
  // The messages are the middle of our line, not its beginning; "I/O error" keeps its capitals.
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

std::unexpected<Error> system_error(std::string_view what, int error_number, std::string hint) {
  return fail(std::string(what) + ": " + error_text(error_number), std::move(hint));
}

}  // namespace pvgpu::platform
