#include "venus/handles.h"

namespace pvgpu::venus {

template struct ChainBodies<HostDecoder>;
template struct ChainBodies<HostDecoder::Shape>;

Object ContextHandles::no_object;

void ContextHandles::set_error(uint64_t id, const Object* object, VkObjectType type, const char* want) {
  error_ = id == 0 ? DecodeError{PoisonReason::kNullObject, 0, want} : explain(id, object, type, want);
}

DecodeError ContextHandles::explain(uint64_t id, const Object* object, VkObjectType type, const char* want) {
  if (!object) return {PoisonReason::kUnknownObject, id, want};
  if (object->type != type) return {PoisonReason::kWrongObjectType, id, want, protocol::object_type_name(object->type)};
  if (object->handle == 0) return {PoisonReason::kHostFailure, id, want, "one that the driver failed to create"};
  return {PoisonReason::kWrongObjectType, id, want, "one of another device"};
}

}  // namespace pvgpu::venus
