// The whole screen of the kernel's display driver, without a window system (VK_EXT_acquire_drm_display).
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdint>

#include "vulkan_client.h"
#include "window.h"

namespace {

using client::check;

uint32_t first_connector(int card) {
  uint32_t connectors[16];
  drm_mode_card_res resources{};
  resources.connector_id_ptr = reinterpret_cast<uintptr_t>(connectors);
  resources.count_connectors = 16;
  if (ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &resources) != 0 || resources.count_connectors == 0) client::fail("no screen");
  return connectors[0];
}

// The first screen of the first card, which the first physical device shows, in the mode that it prefers.
class DisplayWindow : public Window {
 public:
  VkSurfaceKHR make_surface(VkInstance instance) override {
    uint32_t count = 1;
    VkPhysicalDevice physical;
    if (vkEnumeratePhysicalDevices(instance, &count, &physical) < 0 || count == 0) client::fail("vkEnumeratePhysicalDevices: no device");
    if (!display_) acquire(instance, physical);
    VkDisplayModePropertiesKHR mode;
    count = 1;
    if (vkGetDisplayModePropertiesKHR(physical, display_, &count, &mode) < 0 || count == 0)
      client::fail("vkGetDisplayModePropertiesKHR: no mode");
    extent_ = mode.parameters.visibleRegion;
    const VkDisplaySurfaceCreateInfoKHR info{.sType = VK_STRUCTURE_TYPE_DISPLAY_SURFACE_CREATE_INFO_KHR,
                                             .displayMode = mode.displayMode,
                                             .transform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
                                             .globalAlpha = 1,
                                             .alphaMode = VK_DISPLAY_PLANE_ALPHA_OPAQUE_BIT_KHR,
                                             .imageExtent = extent_};
    VkSurfaceKHR surface;
    check(vkCreateDisplayPlaneSurfaceKHR(instance, &info, nullptr, &surface), "vkCreateDisplayPlaneSurfaceKHR");
    return surface;
  }
  void resize(VkExtent2D) override { client::fail("the screen's size stays"); }
  VkExtent2D extent() const override { return extent_; }
  void show(bool) override {}

 private:
  void acquire(VkInstance instance, VkPhysicalDevice physical) {
    const int card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    if (card < 0) client::fail("cannot open /dev/dri/card0");
    const auto get = reinterpret_cast<PFN_vkGetDrmDisplayEXT>(vkGetInstanceProcAddr(instance, "vkGetDrmDisplayEXT"));
    const auto take = reinterpret_cast<PFN_vkAcquireDrmDisplayEXT>(vkGetInstanceProcAddr(instance, "vkAcquireDrmDisplayEXT"));
    check(get(physical, card, first_connector(card), &display_), "vkGetDrmDisplayEXT");
    check(take(physical, card, display_), "vkAcquireDrmDisplayEXT");
  }

  VkDisplayKHR display_ = VK_NULL_HANDLE;
  VkExtent2D extent_{};
};

class Display : public WindowSystem {
 public:
  std::vector<const char*> surface_extensions() const override {
    return {VK_EXT_ACQUIRE_DRM_DISPLAY_EXTENSION_NAME, VK_EXT_DIRECT_MODE_DISPLAY_EXTENSION_NAME, VK_KHR_DISPLAY_EXTENSION_NAME};
  }
  std::unique_ptr<Window> open(VkExtent2D) override { return std::make_unique<DisplayWindow>(); }
};

}  // namespace

std::unique_ptr<WindowSystem> connect_to_display() { return std::make_unique<Display>(); }
