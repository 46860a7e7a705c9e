// What object ids mean to the decoder on the host: the driver's handles. The first handle of a command is
// the one that it is dispatched on; all others must belong to the same device or to no device.
// With `ids`, only that first handle is translated, and the handler looks up the rest itself.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

#include "venus/call.h"
#include "venus/codec/decoder.h"
#include "venus/object_table.h"

namespace pvgpu::venus {

class ContextHandles {
 public:
  ContextHandles(const ObjectTable& objects, Call& call) : objects_(objects), call_(call) {}

  // Whether the ids of the command that is being decoded, but for the first, stay ids.
  void keep_ids(bool ids) { ids_ = ids; }

  template <class H>
  bool translate(uint64_t id, bool null_allowed, H& out) {
    if (!call_.dispatch()) {
      Scope owner;
      return first(id, owner, out) || refuse<H>(id, objects_.find(id));
    }
    if (ids_ || id == 0) {
      out = std::bit_cast<H>(id);
      return id != 0 || null_allowed || refuse<H>(id, nullptr);
    }
    const Object* object = objects_.find(id);
    if (!fits<H>(object) || (object->device != call_.dispatch()->device && object->device)) return refuse<H>(id, object);
    out = std::bit_cast<H>(object->handle);
    return true;
  }

  // For StraightDecoder, which asks nobody why and takes no objects but those of the owner of the command's first one.
  using Scope = uint32_t;
  template <class H>
  [[gnu::always_inline]] bool first(uint64_t id, Scope& owner, H& out) {
    const Object* object = dispatch_on<H>(id);
    if (!object) [[unlikely]] return false;
    owner = object->owner;
    out = std::bit_cast<H>(object->handle);
    return true;
  }
  template <class H>
  [[gnu::always_inline]] bool find(uint64_t id, Scope owner, H& out) const {
    const Object* object = objects_.find(id);
    if (!object || !object->is(protocol::HandleMeta<H>::kType, owner)) [[unlikely]] return false;
    out = std::bit_cast<H>(object->handle);
    return true;
  }
  // Makes an object what the command is dispatched on; nullptr: there is none.
  template <class H>
  [[gnu::always_inline]] Object* dispatch_on(uint64_t id) {
    // Mostly what the command before was dispatched on.
    Object* object = last_;
    if (!object->is_still(id, protocol::HandleMeta<H>::kType)) {
      object = objects_.find(id);
      if (!fits<H>(object)) [[unlikely]] return nullptr;
      last_ = object;
    }
    call_.set_dispatch(object);
    return object;
  }

  // What dispatch_on() made of it last; before that an object that is nothing.
  Object* last() const { return last_; }

  // Why the last translate() failed.
  const DecodeError& error() const { return error_; }

  static DecodeError explain(uint64_t id, const Object* object, VkObjectType type, const char* want);

 private:
  template <class H>
  static bool fits(const Object* object) {
    return object && object->type == protocol::HandleMeta<H>::kType && object->handle != 0;
  }
  // Sets the error; false.
  template <class H>
  bool refuse(uint64_t id, const Object* object) {
    set_error(id, object, protocol::HandleMeta<H>::kType, protocol::HandleMeta<H>::kName);
    return false;
  }
  void set_error(uint64_t id, const Object* object, VkObjectType type, const char* want);
  static Object no_object;  // has no id

  const ObjectTable& objects_;
  Call& call_;
  Object* last_ = &no_object;
  bool ids_ = false;
  DecodeError error_{};
};

using HostDecoder = Decoder<ContextHandles>;
extern template struct ChainBodies<HostDecoder>;
extern template struct ChainBodies<HostDecoder::Shape>;

}  // namespace pvgpu::venus
