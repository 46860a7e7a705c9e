// The commands of a virtio-gpu device: what each means to contexts, resources, the window and scanouts.
// Lives from one device reset to the next; destroying it ends contexts and takes mappings away. One thread (the device's).
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "observe/counted_warnings.h"
#include "platform/shared_memory.h"
#include "virtio_gpu/protocol.h"
#include "virtio_gpu/renderer.h"
#include "virtio_gpu/reply.h"
#include "virtio_gpu/resource.h"
#include "virtio_gpu/scanout.h"
#include "virtio_gpu/transport.h"
#include "virtio_gpu/window.h"

namespace pvgpu::virtio_gpu {

struct ControlOptions {
  std::array<std::byte, venus::kCapsetBytes> capset{};
  RendererFactory make_renderer;
  uint64_t window_bytes = 0;
  // Bytes, a power of two from kSmallestPage: what is mapped into the window begins and ends at multiples of it. Past kSmallestPage
  // guests are told so.
  uint32_t map_alignment = static_cast<uint32_t>(platform::page_size());
  // What one guest may have at a time.
  size_t max_contexts = 1024;
  size_t max_resources = size_t{1} << 18;
  size_t max_pages = size_t{1} << 22;  // entries of all resources' page lists together
  size_t max_submission_bytes = size_t{1} << 20;  // Mesa's are below 1 KiB; streams travel in shared memory
  uint64_t max_pixel_bytes = uint64_t{256} << 20;  // of all 2D resources, and of scanouts that show guest pages, together
  // What the guest can show, one scanout each, and where it goes; the sink outlives the device. None of both: no display.
  std::vector<DisplaySize> displays{};
  DisplaySink* display_sink = nullptr;
};

// Every guest's blobs begin and end at multiples of its pages, which are no smaller.
inline constexpr uint32_t kSmallestPage = 4096;

class Control {
 public:
  // All of these outlive it. `warnings`: what it refuses.
  Control(const ControlOptions& options, Transport& transport, observe::CountedWarnings& warnings);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  Config config() const;
  void clear_events(uint32_t events);
  // What options.displays says has changed.
  void display_changed();

  // `body` is what follows the header, a copy of our own.
  void execute(const Header& header, std::span<const std::byte> body, Reply reply);
  void execute_cursor(const Header& header, std::span<const std::byte> body, Reply reply);

 private:
  struct Request {
    const Header& header;
    std::span<const std::byte> rest;  // what follows the command's structure
    Reply reply;
  };
  struct Context {
    std::string name;
    std::unique_ptr<Renderer> renderer;  // nullptr: a context for no capset, which executes nothing
    // Those that are not answered yet, by number. Callbacks that come later than the context's end find none.
    std::shared_ptr<std::map<uint64_t, Reply>> submissions = std::make_shared<std::map<uint64_t, Reply>>();
  };
  using ResourcePtr = std::shared_ptr<Resource>;

  // Reads a T from the front of `body` and calls `handler` with it.
  template <class T>
  void with_body(void (Control::*handler)(const T&, Request&), const Header& header, std::span<const std::byte> body,
                 Reply reply);

  // -- control_contexts.cc --
  void get_capset_info(const GetCapsetInfo& body, Request& request);
  void get_capset(const GetCapset& body, Request& request);
  void ctx_create(const CtxCreate& body, Request& request);
  void ctx_destroy(Request& request);
  void ctx_attach_resource(const ResourceId& body, Request& request);
  void ctx_detach_resource(const ResourceId& body, Request& request);
  void submit_3d(const Submit3d& body, Request& request);
  void attach(uint32_t ctx_id, const ResourcePtr& resource);
  void detach(uint32_t ctx_id, Resource& resource);

  // -- control_resources.cc --
  void resource_create_blob(const ResourceCreateBlob& body, Request& request);
  void resource_unref(const ResourceId& body, Request& request);
  void resource_attach_backing(const ResourceAttachBacking& body, Request& request);
  void resource_detach_backing(const ResourceId& body, Request& request);
  void resource_assign_uuid(const ResourceId& body, Request& request);
  void resource_map_blob(const ResourceMapBlob& body, Request& request);
  void resource_unmap_blob(const ResourceId& body, Request& request);
  void ask_for_memory(const ResourcePtr& resource, const ResourceCreateBlob& body, Request& request);
  void map_now(const ResourcePtr& resource, uint64_t serial, Reply reply);
  void unmap(Resource& resource, std::function<void(bool)> done);
  // Bytes of the window that a mapping of the resource takes; 0: more than there can be.
  uint64_t mapped_bytes(const Resource& resource) const { return platform::round_up(resource.size, options_.map_alignment); }

  // -- control_display.cc --
  void get_display_info(Request& request);
  void get_edid(const GetEdid& body, Request& request);
  void resource_create_2d(const ResourceCreate2d& body, Request& request);
  void transfer_to_host_2d(const TransferToHost2d& body, Request& request);
  void set_scanout(const SetScanout& body, Request& request);
  void set_scanout_blob(const SetScanoutBlob& body, Request& request);
  void show_blob(const ResourcePtr& resource, const BlobLayout& layout, const SetScanoutBlob& body, const Reply& reply);
  void resource_flush(const ResourceFlush& body, Request& request);
  void update_cursor(const UpdateCursor& body, Request& request);
  void move_cursor(const UpdateCursor& body, Request& request);
  bool check_scanout(uint32_t scanout, Request& request);
  // What the scanout is to show; nullptr after a reply: an error, or that it shows nothing from now on (resource 0).
  ResourcePtr find_shown(uint32_t scanout, uint32_t resource_id, Request& request);

  // -- control.cc --
  // Whether there can be a further resource with this id; false after an error reply.
  bool check_new_resource(uint32_t id, Request& request);
  // Runs `action` once the memory of `resource` has come, or never will: now or later, in the order of calls.
  static void when_settled(const ResourcePtr& resource, std::function<void()> action);
  // Takes the page list that follows a structure into `resource`; false after an error reply.
  bool take_pages(Resource& resource, uint32_t entries, Request& request);
  void drop_pages(Resource& resource);
  // nullptr after an error reply.
  Context* find_context(Request& request);
  Context* find_venus_context(Request& request);
  ResourcePtr find_resource(uint32_t id, Request& request);
  // An error reply, and a warning that says `why`. What commands and reasons there are is ours to say; their arguments are the guest's.
  template <class... Args>
  void refuse(Request& request, Response type, fmt::format_string<Args...> why, Args&&... args) {
    const uint32_t command = request.header.type;
    warnings_.add({why.get().data(), why.get().size()}, command, [&] {
      return fmt::format("virtio-gpu command {:#x} refused: {}", command, fmt::format(why, std::forward<Args>(args)...));
    });
    request.reply.error(type);
  }
  void refuse_unknown(const Header& header, const Reply& reply);

  const ControlOptions& options_;
  Transport& transport_;
  observe::CountedWarnings& warnings_;
  std::unordered_map<uint32_t, Context> contexts_;
  std::unordered_map<uint32_t, ResourcePtr> resources_;
  Window window_;
  uint64_t last_map_serial_ = 0;
  uint64_t last_submission_ = 0;
  size_t pages_ = 0;  // entries of all page lists
  std::shared_ptr<PixelBudget> pixel_budget_;
  Scanouts scanouts_;
  uint32_t events_ = 0;
};

}  // namespace pvgpu::virtio_gpu
