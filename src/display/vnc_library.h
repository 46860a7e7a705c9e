// libvncserver's functions, found when they are first needed. The types are its own.
#pragma once

#include <rfb/rfb.h>
// It defines these for everyone who includes it.
#undef TRUE
#undef FALSE

#include "platform/error.h"

namespace pvgpu::display {

struct VncLibrary {
  decltype(&::rfbGetScreen) get_screen;
  decltype(&::rfbInitServer) init_server;
  decltype(&::rfbProcessEvents) process_events;
  decltype(&::rfbNewFramebuffer) new_framebuffer;
  decltype(&::rfbMarkRectAsModified) mark_rect_as_modified;
  decltype(&::rfbShutdownServer) shutdown_server;
  decltype(&::rfbScreenCleanup) screen_cleanup;

  // Opened once, and never closed. Any thread.
  static Result<const VncLibrary*> open();
};

}  // namespace pvgpu::display
