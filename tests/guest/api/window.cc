#include "window.h"

#include "vulkan_client.h"

namespace {

// VK_EXT_headless_surface: surfaces that nobody shows, of whatever size their swapchains have.
class HeadlessWindow : public Window {
 public:
  explicit HeadlessWindow(VkExtent2D extent) : extent_(extent) {}

  VkSurfaceKHR make_surface(VkInstance instance) override {
    const auto create = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
        vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT"));
    const VkHeadlessSurfaceCreateInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    VkSurfaceKHR surface;
    client::check(create(instance, &info, nullptr, &surface), "vkCreateHeadlessSurfaceEXT");
    return surface;
  }
  void resize(VkExtent2D extent) override { extent_ = extent; }
  VkExtent2D extent() const override { return extent_; }
  void show(bool) override {}

 private:
  VkExtent2D extent_;
};

class Headless : public WindowSystem {
 public:
  std::vector<const char*> surface_extensions() const override { return {VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME}; }
  std::unique_ptr<Window> open(VkExtent2D extent) override {
    return std::make_unique<HeadlessWindow>(extent);
  }
};

}  // namespace

std::unique_ptr<WindowSystem> connect_to(std::string_view name) {
  if (name == "xcb") return connect_to_x11();
  if (name == "wayland") return connect_to_wayland();
  if (name == "headless") return std::make_unique<Headless>();
  if (name == "display") return connect_to_display();
  client::fail("the window systems are xcb, wayland, headless, display");
}
