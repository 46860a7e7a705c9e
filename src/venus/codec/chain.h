// For one codec, a table of functions over the bodies of all structures that may appear in a pNext
// chain, indexed like protocol::kChainStructs. Instantiated explicitly in one place per codec, since
// each table takes the compiler a while.
#pragma once

#include "protocol/fields.h"
#include "protocol/tables.h"

namespace pvgpu::venus {

template <class Codec>
using ChainBody = void (*)(Codec& codec, void* body);

template <class Codec, class List = protocol::ChainTypes>
struct ChainBodies;

template <class Codec, class... T>
struct ChainBodies<Codec, protocol::TypeList<T...>> {
  template <class S>
  static void visit(Codec& codec, void* body) {
    protocol::members(codec, *static_cast<S*>(body));
  }
  static constexpr ChainBody<Codec> kTable[] = {&visit<T>...};
};

}  // namespace pvgpu::venus
