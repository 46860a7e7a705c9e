// One guest's connection from its first byte to its last: the handshake, then blobs, submissions
// and syncs, handed to the connection's renderer. Owns the socket and the renderer; one thread,
// which run() keeps until the guest is gone or has made a mistake.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "frontends/vtest/message_stream.h"
#include "frontends/vtest/messages.h"
#include "frontends/vtest/renderer.h"
#include "frontends/vtest/sync_table.h"
#include "platform/fd.h"
#include "venus/poison.h"

namespace pvgpu::frontends::vtest {

class Session {
 public:
  // Live resources, each of which may hold a descriptor and a mapping.
  static constexpr size_t kMaxResources = size_t{1} << 18;

  struct Options {
    RendererFactory make_renderer;
    std::array<std::byte, venus::kCapsetBytes> capset{};
    // Told the guest process's name, made printable, before the renderer exists. May be empty.
    std::function<void(const std::string& name)> on_name;
  };

  Session(platform::UniqueFd socket, Options options);
  ~Session();

  // Serves the guest. nullopt: it has closed the connection or died. Otherwise why it was stopped;
  // the caller logs that, unless the renderer is poisoned, which has logged it itself.
  std::optional<venus::Poison> run();
  // Whether the poison that run() returned came from the renderer.
  bool renderer_poisoned() const;
  // Whether the guest left after it had read the capset and sent nothing to execute. That is what Mesa's Venus before 23.2 does:
  // it knows an older wire format, and gives up by itself (protocol reference, 2).
  bool refused_capset() const { return capset_read_ && !submitted_; }

 private:
  using Done = std::expected<void, venus::Poison>;

  std::expected<void, venus::Poison> serve();
  Done handle(const ResourceUnref& request);
  Done handle(const ResourceBusyWait& request);
  Done handle(const CreateRenderer& request);
  Done handle(const PingProtocolVersion& request);
  Done handle(const ProtocolVersion& request);
  Done handle(const GetParam& request);
  Done handle(const GetCapset& request);
  Done handle(const ContextInit& request);
  Done handle(const ResourceCreateBlob& request);
  Done handle(const SyncCreate& request);
  Done handle(const SyncUnref& request);
  Done handle(const SyncRead& request);
  Done handle(const SyncWrite& request);
  Done handle(const SyncWait& request);
  Done handle(const SubmitCmd2& request);

  // Fails if CONTEXT_INIT has not been there.
  Done require_context(const char* command) const;
  void reply(CommandId id, std::initializer_list<uint32_t> words);
  void send_words(std::span<const uint32_t> words);
  void send_fd(int fd);

  platform::UniqueFd socket_;
  Options options_;
  MessageStream stream_;
  bool gone_ = false;  // a reply could not be sent
  bool named_ = false;
  bool capset_read_ = false, submitted_ = false;
  std::string name_ = "unnamed";
  uint32_t last_resource_id_ = 0;
  std::unordered_set<uint32_t> resources_;
  // Shared with the fences in flight, which may retire while the renderer is being destroyed.
  std::shared_ptr<SyncTable> syncs_ = std::make_shared<SyncTable>();
  std::unique_ptr<Renderer> renderer_;
};

}  // namespace pvgpu::frontends::vtest
