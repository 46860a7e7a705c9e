#include "observe/user_error.h"

#include <cstdio>
#include <string>

#include "observe/log_line.h"

namespace pvgpu::observe {

void print_error(const Error& error) {
  if (error.what.empty()) return;
  std::string text = "pvgpu: " + printable(error.what) + '\n';
  if (!error.hint.empty()) text += "  hint: " + printable(error.hint) + '\n';
  std::fputs(text.c_str(), stderr);
}

}  // namespace pvgpu::observe
