// For one codec, a table of functions over the bodies of all structures that may appear in a pNext
// chain, indexed like protocol::kChainStructs. Instantiated explicitly in one place per codec, since
// each table takes the compiler a while.
#pragma once

#include "protocol/fields.h"
#include "protocol/tables.h"

namespace pvgpu::venus {

template <class Codec>
using ChainBody = void (*)(Codec& codec, void* body);

template <class Codec>
struct ChainTable {
  ChainBody<Codec> body[protocol::kChainCount];
  constexpr ChainBody<Codec> operator[](size_t i) const { return body[i]; }
};

template <class Codec>
struct ChainBodies {
  template <class S>
  static void visit(Codec& codec, void* body) {
    protocol::members(codec, *static_cast<S*>(body));
  }
  template <class... S>
  static constexpr ChainTable<Codec> make(protocol::TypeList<S...>) {
    return {{&visit<S>...}};
  }
  static constexpr ChainTable<Codec> kTable = make(protocol::ChainTypes{});
};

}  // namespace pvgpu::venus
