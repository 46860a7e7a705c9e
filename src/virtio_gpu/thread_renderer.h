// Renderers whose contexts live in this process, each with a thread of its own for its transport's calls: for
// embedding and debugging. A guest that crashes the driver takes the whole process with it.
#pragma once

#include <functional>

#include "host/host.h"
#include "virtio_gpu/renderer.h"

namespace pvgpu::virtio_gpu {

// Runs an action on the device's thread, later. Callable from any thread, also while the device is being destroyed
// (the action may then never run).
using Post = std::function<void(std::function<void()>)>;

// `host` outlives every renderer.
RendererFactory thread_renderers(host::Host& host, Post post);

}  // namespace pvgpu::virtio_gpu
