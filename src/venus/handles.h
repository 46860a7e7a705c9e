// What object ids mean to the decoder on the host: the driver's handles. The first handle of a command is
// the one that it is dispatched on; all others must belong to the same device or to no device.
// With `ids`, only that first handle is translated, and the handler looks up the rest itself.
#pragma once

#include <bit>

#include "venus/call.h"
#include "venus/codec/decoder.h"
#include "venus/object_table.h"

namespace pvgpu::venus {

class ContextHandles {
 public:
  ContextHandles(const ObjectTable& objects, Call& call, bool ids) : objects_(objects), call_(call), ids_(ids) {}

  template <class H>
  bool translate(uint64_t id, bool null_allowed, H& out, DecodeError& error) {
    if (id == 0) {
      out = H{};
      if (null_allowed && call_.dispatch()) return true;
      error = {PoisonReason::kNullObject, 0, protocol::HandleMeta<H>::kName};
      return false;
    }
    Object* first = call_.dispatch();
    if (ids_ && first) {
      out = std::bit_cast<H>(id);
      return true;
    }
    Object* object = objects_.find(id);
    if (object && object->type == protocol::HandleMeta<H>::kType && object->handle != 0 &&
        (!first || object->device == first->device || !object->device)) [[likely]] {
      if (!first) call_.set_dispatch(object);
      out = std::bit_cast<H>(object->handle);
      return true;
    }
    error = explain(id, object, protocol::HandleMeta<H>::kType, protocol::HandleMeta<H>::kName);
    return false;
  }

  static DecodeError explain(uint64_t id, const Object* object, VkObjectType type, const char* want);

 private:
  const ObjectTable& objects_;
  Call& call_;
  const bool ids_;
};

using HostDecoder = Decoder<ContextHandles>;
extern template struct ChainBodies<HostDecoder>;
extern template struct ChainBodies<HostDecoder::Shape>;

}  // namespace pvgpu::venus
