// Pictures in a folder: the newest frames of a scanout, as frame-000001.png and so on. Made on a thread of its own, at most ten a
// second, so that a guest that draws more often is not held up and frames between are left out; the last one is never left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "platform/error.h"
#include "virtio_gpu/display_sink.h"

namespace pvgpu::display {

// Of each machine this many stay, the newest.
inline constexpr uint64_t kKeptPictures = 100;

// Whether this build can make pictures.
Result<void> check_png();

// Pictures that are in the folder from before are removed.
Result<std::unique_ptr<virtio_gpu::DisplaySink>> open_png_sink(const std::filesystem::path& folder);

}  // namespace pvgpu::display
