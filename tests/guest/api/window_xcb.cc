// X11, through libxcb.
#define VK_USE_PLATFORM_XCB_KHR
#include <xcb/xcb.h>

#include <cstdlib>

#include "vulkan_client.h"
#include "window.h"

namespace {

VkExtent2D geometry(xcb_connection_t* connection, xcb_window_t window) {
  auto* reply = xcb_get_geometry_reply(connection, xcb_get_geometry(connection, window), nullptr);
  if (!reply) client::fail("the X server does not know the window any more");
  const VkExtent2D extent{reply->width, reply->height};
  std::free(reply);
  return extent;
}

class XcbWindow : public Window {
 public:
  XcbWindow(xcb_connection_t* connection, const xcb_screen_t& screen, VkExtent2D extent)
      : connection_(connection), window_(xcb_generate_id(connection)) {
    const uint32_t values[] = {screen.black_pixel, XCB_EVENT_MASK_STRUCTURE_NOTIFY};
    xcb_create_window(connection_, XCB_COPY_FROM_PARENT, window_, screen.root, 0, 0,
                      uint16_t(extent.width), uint16_t(extent.height), 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, screen.root_visual,
                      XCB_CW_BACK_PIXEL | XCB_CW_EVENT_MASK, values);
    show(true);
  }
  ~XcbWindow() override {
    xcb_destroy_window(connection_, window_);
    xcb_flush(connection_);
  }

  VkSurfaceKHR make_surface(VkInstance instance) override {
    const VkXcbSurfaceCreateInfoKHR info{.sType = VK_STRUCTURE_TYPE_XCB_SURFACE_CREATE_INFO_KHR,
                                         .connection = connection_,
                                         .window = window_};
    VkSurfaceKHR surface;
    client::check(vkCreateXcbSurfaceKHR(instance, &info, nullptr, &surface),
                  "vkCreateXcbSurfaceKHR");
    return surface;
  }

  void resize(VkExtent2D extent) override {
    const uint32_t values[] = {extent.width, extent.height};
    xcb_configure_window(connection_, window_, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT,
                         values);
    // A window manager, if there is one, may take its time.
    for (;;) {
      const VkExtent2D now = this->extent();
      if (now.width == extent.width && now.height == extent.height) return;
      wait_for(XCB_CONFIGURE_NOTIFY);
    }
  }

  VkExtent2D extent() const override { return geometry(connection_, window_); }

  void show(bool shown) override {
    shown ? xcb_map_window(connection_, window_) : xcb_unmap_window(connection_, window_);
    xcb_flush(connection_);
    wait_for(shown ? XCB_MAP_NOTIFY : XCB_UNMAP_NOTIFY);
  }

 private:
  void wait_for(uint8_t type) {
    while (xcb_generic_event_t* event = xcb_wait_for_event(connection_)) {
      const uint8_t seen = event->response_type & 0x7f;
      std::free(event);
      if (seen == type) return;
    }
    client::fail("the X server has gone");
  }

  xcb_connection_t* const connection_;
  const xcb_window_t window_;
};

class X11 : public WindowSystem {
 public:
  X11() : connection_(xcb_connect(nullptr, nullptr)) {
    if (xcb_connection_has_error(connection_)) client::fail("no X server at $DISPLAY");
  }
  ~X11() override { xcb_disconnect(connection_); }

  std::vector<const char*> surface_extensions() const override { return {VK_KHR_XCB_SURFACE_EXTENSION_NAME}; }
  std::unique_ptr<Window> open(VkExtent2D extent) override {
    const xcb_screen_t* screen = xcb_setup_roots_iterator(xcb_get_setup(connection_)).data;
    return std::make_unique<XcbWindow>(connection_, *screen, extent);
  }

 private:
  xcb_connection_t* const connection_;
};

}  // namespace

std::unique_ptr<WindowSystem> connect_to_x11() {
  return std::make_unique<X11>();
}
