// Windows of the guest's window systems, as far as a program that presents needs them. A window is
// what the window system shows; its VkSurfaceKHR may come and go. One thread only.
#pragma once

#include <vulkan/vulkan.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

class Window {
 public:
  virtual ~Window() = default;
  // The caller destroys it, before the window.
  virtual VkSurfaceKHR make_surface(VkInstance instance) = 0;
  // Asks the window system for another size, and waits until it has agreed.
  virtual void resize(VkExtent2D extent) = 0;
  // The size that the window system has agreed to, for surfaces that leave the extent to the
  // program.
  virtual VkExtent2D extent() const = 0;
  // Whether the window is on the screen; a hidden one can be presented to all the same.
  virtual void show(bool shown) = 0;
};

// A connection to a window system. Ends after its windows.
class WindowSystem {
 public:
  virtual ~WindowSystem() = default;
  // The instance extensions that make its surfaces.
  virtual std::vector<const char*> surface_extensions() const = 0;
  // Waits until the new window can be drawn to.
  virtual std::unique_ptr<Window> open(VkExtent2D extent) = 0;
};

// "xcb", "wayland", "headless", "display"; anything else ends the program.
std::unique_ptr<WindowSystem> connect_to(std::string_view name);

std::unique_ptr<WindowSystem> connect_to_x11();
std::unique_ptr<WindowSystem> connect_to_wayland();
std::unique_ptr<WindowSystem> connect_to_display();
