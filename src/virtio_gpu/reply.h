// The answer that a request is owed. Copies stand for the same answer, of which the first counts; when the last
// copy goes without one, the driver is told of an unspecified error, so that no buffer of its is ever kept.
// One thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "virtio_gpu/protocol.h"

namespace pvgpu::virtio_gpu {

class Reply {
 public:
  // What sends the answer: its type, and what follows the header.
  using Send = std::function<void(Response, std::span<const std::byte>)>;
  explicit Reply(Send send) : state_(std::make_shared<State>(std::move(send))) {}

  void ok() const { state_->answer(Response::kOkNoData, {}); }
  void error(Response type) const { state_->answer(type, {}); }
  template <class Body>
  void with(Response type, const Body& body) const {
    state_->answer(type, std::as_bytes(std::span(&body, 1)));
  }
  void with_bytes(Response type, std::span<const std::byte> body) const { state_->answer(type, body); }

 private:
  struct State {
    explicit State(Send s) : send(std::move(s)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { answer(Response::kErrUnspec, {}); }
    void answer(Response type, std::span<const std::byte> body) {
      if (auto once = std::exchange(send, nullptr)) once(type, body);
    }
    Send send;
  };
  std::shared_ptr<State> state_;
};

}  // namespace pvgpu::virtio_gpu
