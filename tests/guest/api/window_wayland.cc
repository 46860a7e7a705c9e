// Wayland, through libwayland-client: an xdg_toplevel without decoration. The compositor may give a
// window a size; otherwise the program chooses.
#define VK_USE_PLATFORM_WAYLAND_KHR
#include <wayland-client.h>

#include <algorithm>
#include <cstring>

#include "vulkan_client.h"
#include "window.h"
#include "xdg-shell-client.h"

namespace {

struct Globals {
  wl_display* display = nullptr;
  wl_compositor* compositor = nullptr;
  xdg_wm_base* shell = nullptr;

  void roundtrip() const {
    if (wl_display_roundtrip(display) < 0) client::fail("the Wayland connection is broken");
  }
};

class WaylandWindow : public Window {
 public:
  WaylandWindow(const Globals& globals, VkExtent2D extent) : globals_(globals), extent_(extent) {
    static constexpr xdg_surface_listener kSurfaceListener{
        .configure = [](void* data, xdg_surface* surface, uint32_t serial) {
          xdg_surface_ack_configure(surface, serial);
          static_cast<WaylandWindow*>(data)->configured_ = true;
        }};
    static constexpr xdg_toplevel_listener kToplevelListener{
        .configure =
            [](void* data, xdg_toplevel*, int32_t width, int32_t height, wl_array*) {
              if (width > 0 && height > 0) {
                static_cast<WaylandWindow*>(data)->extent_ = {uint32_t(width), uint32_t(height)};
              }
            },
        .close = [](void*, xdg_toplevel*) {},
        .configure_bounds = nullptr,
        .wm_capabilities = nullptr};
    surface_ = wl_compositor_create_surface(globals_.compositor);
    xdg_surface_ = xdg_wm_base_get_xdg_surface(globals_.shell, surface_);
    xdg_surface_add_listener(xdg_surface_, &kSurfaceListener, this);
    toplevel_ = xdg_surface_get_toplevel(xdg_surface_);
    xdg_toplevel_add_listener(toplevel_, &kToplevelListener, this);
    wl_surface_commit(surface_);
    while (!configured_) globals_.roundtrip();
  }
  ~WaylandWindow() override {
    xdg_toplevel_destroy(toplevel_);
    xdg_surface_destroy(xdg_surface_);
    wl_surface_destroy(surface_);
    globals_.roundtrip();
  }

  VkSurfaceKHR make_surface(VkInstance instance) override {
    const VkWaylandSurfaceCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR,
        .display = globals_.display,
        .surface = surface_};
    VkSurfaceKHR surface;
    client::check(vkCreateWaylandSurfaceKHR(instance, &info, nullptr, &surface),
                  "vkCreateWaylandSurfaceKHR");
    return surface;
  }
  void resize(VkExtent2D extent) override { extent_ = extent; }
  VkExtent2D extent() const override {
    globals_.roundtrip();  // The compositor may have sent another size.
    return extent_;
  }
  void show(bool) override {}  // Wayland programs cannot hide a window that has contents.

 private:
  const Globals& globals_;
  VkExtent2D extent_;
  bool configured_ = false;
  wl_surface* surface_;
  xdg_surface* xdg_surface_;
  xdg_toplevel* toplevel_;
};

class Wayland : public WindowSystem {
 public:
  Wayland() {
    globals_.display = wl_display_connect(nullptr);
    if (!globals_.display) client::fail("no Wayland compositor at $WAYLAND_DISPLAY");
    static constexpr wl_registry_listener kListener{
        .global =
            [](void* data, wl_registry* registry, uint32_t name, const char* interface,
               uint32_t version) {
              static_cast<Wayland*>(data)->bind(registry, name, interface, version);
            },
        .global_remove = [](void*, wl_registry*, uint32_t) {}};
    registry_ = wl_display_get_registry(globals_.display);
    wl_registry_add_listener(registry_, &kListener, this);
    globals_.roundtrip();
    if (!globals_.compositor || !globals_.shell) client::fail("the compositor shows no windows");
  }
  ~Wayland() override {
    xdg_wm_base_destroy(globals_.shell);
    wl_compositor_destroy(globals_.compositor);
    wl_registry_destroy(registry_);
    wl_display_disconnect(globals_.display);
  }

  std::vector<const char*> surface_extensions() const override { return {VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME}; }
  std::unique_ptr<Window> open(VkExtent2D extent) override {
    return std::make_unique<WaylandWindow>(globals_, extent);
  }

 private:
  void bind(wl_registry* registry, uint32_t name, const char* interface, uint32_t version) {
    if (std::strcmp(interface, wl_compositor_interface.name) == 0) {
      globals_.compositor = static_cast<wl_compositor*>(
          wl_registry_bind(registry, name, &wl_compositor_interface, std::min(version, 4u)));
    } else if (std::strcmp(interface, xdg_wm_base_interface.name) == 0) {
      static constexpr xdg_wm_base_listener kListener{
          .ping = [](void*, xdg_wm_base* shell, uint32_t serial) {
            xdg_wm_base_pong(shell, serial);
          }};
      globals_.shell =
          static_cast<xdg_wm_base*>(wl_registry_bind(registry, name, &xdg_wm_base_interface, 1));
      xdg_wm_base_add_listener(globals_.shell, &kListener, nullptr);
    }
  }

  Globals globals_;
  wl_registry* registry_;
};

}  // namespace

std::unique_ptr<WindowSystem> connect_to_wayland() {
  return std::make_unique<Wayland>();
}
