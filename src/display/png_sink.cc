#include "display/png_sink.h"

#include <fmt/format.h>
#include <png.h>

#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>

#include "display/screen.h"
#include "observe/log.h"
#include "observe/log_limit.h"
#include "platform/signals.h"
#include "platform/thread.h"

namespace pvgpu::display {
namespace {

using std::filesystem::path;

constexpr auto kInterval = std::chrono::milliseconds(100);

std::string name_of(uint64_t number) { return fmt::format("frame-{:06}.png", number); }

bool is_picture(const path& file) { return file.filename().string().starts_with("frame-") && file.extension() == ".png"; }

// False, with errno or libpng's message in `why`.
bool write_png(const path& file, const Picture& picture, std::string& why) {
  std::vector<std::byte> rgb(size_t{3} * picture.width * picture.height);
  for (size_t from = 0, to = 0; to < rgb.size(); from += 4, to += 3) std::copy_n(picture.rgbx.begin() + from, 3, rgb.begin() + to);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = picture.width;
  image.height = picture.height;
  image.format = PNG_FORMAT_RGB;
  image.flags = PNG_IMAGE_FLAG_FAST;
  if (png_image_write_to_file(&image, file.c_str(), 0, rgb.data(), 0, nullptr)) return true;
  why = image.message;
  return false;
}

class PngSink : public virtio_gpu::DisplaySink {
 public:
  explicit PngSink(path folder) : folder_(std::move(folder)) {
    const platform::BlockedSignals blocked;  // the thread inherits them
    thread_ = std::thread([this] { work(); });
  }
  ~PngSink() override {
    screen_.close();
    thread_.join();
  }

  void show(uint32_t, const virtio_gpu::Pixels& pixels, const virtio_gpu::Rect& damage) override { screen_.show(pixels, damage); }
  void blank(uint32_t) override {
    // What was to be seen last is wanted rather than that there is nothing.
  }
  void set_cursor(uint32_t, const virtio_gpu::Cursor* cursor) override { screen_.set_cursor(cursor); }
  void move_cursor(uint32_t, int32_t x, int32_t y) override { screen_.move_cursor(x, y); }

 private:
  void work() {
    platform::set_thread_name("pvgpu-png");
    Picture picture;
    while (screen_.wait()) {
      if (screen_.take(picture)) write(picture);
      screen_.pause(kInterval);
    }
  }

  void write(const Picture& picture) {
    const path whole = folder_ / name_of(++number_), partial = folder_ / ".partial.png";
    std::string why;
    std::error_code error;
    if (write_png(partial, picture, why)) {
      std::filesystem::rename(partial, whole, error);
      if (error) why = error.message();
    }
    static constinit observe::LogLimit limit(5);
    if (!why.empty()) observe::warn_within(limit, "cannot write {}: {}", whole.string(), why);
    if (number_ > kKeptPictures) std::filesystem::remove(folder_ / name_of(number_ - kKeptPictures), error);
  }

  const path folder_;
  uint64_t number_ = 0;
  Screen screen_;
  std::thread thread_;
};

}  // namespace

Result<void> check_png() { return {}; }

Result<std::unique_ptr<virtio_gpu::DisplaySink>> open_png_sink(const path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(fmt::format("cannot make the folder {}: {}", folder.string(), error.message()), "name one that you may write to");
  for (const auto& file : std::filesystem::directory_iterator(folder, error))
    if (is_picture(file.path())) std::filesystem::remove(file.path(), error);
  if (error) return fail(fmt::format("cannot empty the folder {}: {}", folder.string(), error.message()), "name one that you may write to");
  return std::make_unique<PngSink>(folder);
}

}  // namespace pvgpu::display
