// What a guest sent, again, without the guest and without a GPU: the steps of a recording (observe/recording.h) are executed by a context
// on the fake driver, one after the other on the calling thread, so that every run executes the same instructions.
//
// Rings are driven by hand and wait for nothing: a step was recorded when it was picked up, so all that it needs comes before it.
// The driver's functions that return nothing but a result do nothing at all; those that make objects or answer questions are the fake
// driver's. One GPU only. One replay at a time in a process; fake_driver::reset() ends its effects on others.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/host.h"
#include "observe/recording.h"
#include "platform/error.h"
#include "venus/context_impl.h"

namespace pvgpu::bench {

class Replay {
 public:
  static Result<Replay> load(const std::string& path);

  // False: the program that recorded ended in the middle.
  bool whole() const { return recording_.whole; }

  struct Counts {
    uint64_t commands = 0;  // nested ones too
    uint64_t bytes = 0;
    std::map<std::string, uint64_t> by_name;
  };
  // Of what run() measures. Takes longer than executing them.
  Counts count() const;

  struct Watch {
    // Around each execution of commands after the one that made the device: what the guest did before is not measured, nor is
    // the context's end.
    std::function<void()> begin, end;
  };
  // Executes everything in a new context. The error: the context was poisoned, and why.
  Result<void> run(const Watch& watch) const;
  // The same command by command, nested ones too. `around` makes the call that executes the command, and may look at what it costs.
  using Around = std::function<void(const std::string& name, const std::function<void()>& execute)>;
  Result<void> run_each(const Around& around) const;

 private:
  using Event = observe::RecordedEvent;
  struct Piece {  // of a stream
    uint64_t ring;  // 0: the context stream
    std::span<const std::byte> bytes;
  };
  class Stage;

  Replay(observe::Recording recording, std::unique_ptr<host::Host> host);

  observe::Recording recording_;
  std::unique_ptr<host::Host> host_;
  // By event: the nested streams that are read while it is executed, and whether it comes after the device.
  std::vector<std::vector<const Event*>> nested_;
  size_t measured_from_ = 0;
};

}  // namespace pvgpu::bench
