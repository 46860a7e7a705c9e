// Draws numbered frames (presenter.h) into windows, as its standard input says. A line is a
// command, and is answered by a line when it is done:
//
//   open WIDTH HEIGHT MODE IMAGES IN_FLIGHT [fences]
//                        a window, numbered from 0. MODE: fifo, mailbox, immediate. With "fences",
//                        each present has one. The answer is "not offered" where there is no such
//                        thing
//   draw WINDOW COUNT    presents the next COUNT frames
//   resize WINDOW WIDTH HEIGHT
//   hide WINDOW, show WINDOW
//   surface WINDOW       destroys its surface and makes another
//   shown WINDOW         waits until its last frame is on the screen
//   release WINDOW       acquires an image and gives it back
//   close WINDOW
//
// present WINDOW_SYSTEM
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "presenter.h"

namespace {

const std::map<std::string, VkPresentModeKHR> kModes{{"fifo", VK_PRESENT_MODE_FIFO_KHR},
                                                     {"mailbox", VK_PRESENT_MODE_MAILBOX_KHR},
                                                     {"immediate", VK_PRESENT_MODE_IMMEDIATE_KHR}};

struct Shown {
  std::unique_ptr<Window> window;
  std::unique_ptr<Presenter> presenter;  // ends before the window
};

class Interpreter {
 public:
  explicit Interpreter(const std::string& system)
      : system_(connect_to(system)), device_(open_presenting(*system_)) {}
  ~Interpreter() {
    windows_.clear();
    client::close(device_);
  }

  std::string run(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "open") return open(words);
    size_t number = windows_.size();
    words >> number;
    if (number >= windows_.size() || !windows_[number].window) client::fail("no such window");
    return run(command, words, windows_[number]);
  }

 private:
  std::string open(std::istringstream& words) {
    VkExtent2D extent{};
    std::string mode;
    PresenterOptions options;
    words >> extent.width >> extent.height >> mode >> options.images >> options.in_flight;
    if (!words || !kModes.contains(mode)) client::fail("open WIDTH HEIGHT MODE IMAGES IN_FLIGHT");
    options.mode = kModes.at(mode);
    std::string fences;
    options.fences = bool(words >> fences);
    if (options.fences && !device_.maintenance1) return "not offered";
    auto window = system_->open(extent);
    if (!offers_mode(device_, *window, options.mode)) return "not offered";
    Shown& shown = windows_.emplace_back();
    shown.window = std::move(window);
    shown.presenter = std::make_unique<Presenter>(device_, *shown.window, options);
    return "opened with " + std::to_string(shown.presenter->images()) + " images";
  }

  std::string run(const std::string& command, std::istringstream& words, Shown& shown) {
    Presenter& presenter = *shown.presenter;
    VkExtent2D extent{};
    uint32_t count = 0;
    if (command == "draw" && words >> count) {
      for (uint32_t i = 0; i < count; ++i) presenter.draw();
      extent = presenter.extent();
      return "drew " + std::to_string(presenter.frame()) + ", " + std::to_string(extent.width) +
             "x" + std::to_string(extent.height) + ", out of date " +
             std::to_string(presenter.out_of_date()) + ", suboptimal " +
             std::to_string(presenter.suboptimal());
    }
    if (command == "resize" && words >> extent.width >> extent.height) {
      shown.window->resize(extent);
    } else if (command == "hide" || command == "show") {
      shown.window->show(command == "show");
    } else if (command == "surface") {
      presenter.renew_surface();
    } else if (command == "shown") {
      if (!device_.present_wait) return "not offered";
      presenter.wait_until_shown();
    } else if (command == "release") {
      if (!device_.maintenance1) return "not offered";
      presenter.acquire_and_release();
    } else if (command == "close") {
      shown.presenter.reset();
      shown.window.reset();
    } else {
      client::fail("unknown command");
    }
    return command + " done";
  }

  std::unique_ptr<WindowSystem> system_;
  PresentingDevice device_;
  std::vector<Shown> windows_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) client::fail("usage: present xcb|wayland|headless|display");
  Interpreter interpreter(argv[1]);
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%s\n", interpreter.run(line).c_str());
    std::fflush(stdout);
  }
}
