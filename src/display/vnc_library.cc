#include "display/vnc_library.h"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <string_view>

#include "observe/log.h"
#include "observe/log_line.h"
#include "platform/shared_library.h"

// The name that a function has in the library, where the header gives it another one.
#define PVGPU_TEXT_OF(name) #name
#define PVGPU_SYMBOL(name) PVGPU_TEXT_OF(name)

namespace pvgpu::display {
namespace {

void log_line(const char* format, va_list arguments, bool error) {
  char text[256];
  std::vsnprintf(text, sizeof text, format, arguments);
  std::string_view line(text);
  if (line.ends_with('\n')) line.remove_suffix(1);
  // Errors are those of viewers too: they go away, and nothing is wrong.
  if (error) {
    LOG_DEBUG("VNC error: {}", observe::printable(line));
  } else {
    LOG_DEBUG("VNC: {}", observe::printable(line));
  }
}
void log_message(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_line(format, arguments, false);
  va_end(arguments);
}
void log_error(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_line(format, arguments, true);
  va_end(arguments);
}

Result<VncLibrary> load() {
  std::string why;
  void* const handle = platform::open_shared_library("vncserver", 1, why);
  if (!handle) return fail("cannot open libvncserver: " + why, "install it (Debian: libvncserver1), or use --display png:FOLDER");
  bool complete = true;
  const auto find = [&]<class T>(T& out, const char* name) {
    void* const symbol = ::dlsym(handle, name);
    complete = complete && symbol;
    out = reinterpret_cast<T>(symbol);
  };
  VncLibrary library{};
  find(library.get_screen, PVGPU_SYMBOL(rfbGetScreen));
  find(library.init_server, PVGPU_SYMBOL(rfbInitServer));
  find(library.process_events, PVGPU_SYMBOL(rfbProcessEvents));
  find(library.new_framebuffer, PVGPU_SYMBOL(rfbNewFramebuffer));
  find(library.mark_rect_as_modified, PVGPU_SYMBOL(rfbMarkRectAsModified));
  find(library.shutdown_server, PVGPU_SYMBOL(rfbShutdownServer));
  find(library.screen_cleanup, PVGPU_SYMBOL(rfbScreenCleanup));
  ::rfbLogProc* message = nullptr;
  ::rfbLogProc* error = nullptr;
  find(message, PVGPU_SYMBOL(rfbLog));
  find(error, PVGPU_SYMBOL(rfbErr));
  if (!complete) return fail("libvncserver is not the one that pvgpu was built with", "build pvgpu again, or use --display png:FOLDER");
  *message = log_message;
  *error = log_error;
  return library;
}

}  // namespace

Result<const VncLibrary*> VncLibrary::open() {
  static const Result<VncLibrary> library = load();
  if (!library) return std::unexpected(library.error());
  return &*library;
}

}  // namespace pvgpu::display
