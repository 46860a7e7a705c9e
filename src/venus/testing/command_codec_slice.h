// The rows of command_codecs.h for every fourth command. Included by the slices' sources only.
#pragma once

#include <utility>

#include "venus/codec/request_length.h"
#include "venus/codec/straight_decoder.h"
#include "venus/testing/command_codecs.h"

namespace pvgpu::venus::testing {

template <class Args, class Function>
void call_member(void (Args::*call)(Function), PFN_vkVoidFunction function, void* args) {
  (static_cast<Args*>(args)->*call)(reinterpret_cast<Function>(function));
}
template <class Args>
constexpr auto caller() -> void (*)(PFN_vkVoidFunction, void*) {
  if constexpr (requires { &Args::call; }) {
    return [](PFN_vkVoidFunction function, void* args) { call_member(&Args::call, function, args); };
  } else {
    return nullptr;
  }
}

template <class Args>
constexpr auto straight_decoder() -> std::optional<size_t> (*)(std::span<const std::byte>, wire::Arena&, void*) {
  if constexpr (kRequestSize<Args>.straight) {
    return [](std::span<const std::byte> bytes, wire::Arena& arena, void* args) -> std::optional<size_t> {
      constexpr size_t kLeast = kRequestSize<Args>.least;
      if (bytes.size() < kLeast) return std::nullopt;
      StraightRawHandles handles;
      StraightDecoder<StraightRawHandles> decoder(bytes.data(), bytes.size() - kLeast, handles, arena);
      protocol::request(decoder, *static_cast<Args*>(args));
      if (decoder.failed()) return std::nullopt;
      return static_cast<size_t>(decoder.position() - bytes.data());
    };
  } else {
    return nullptr;
  }
}

template <class Args>
constexpr auto length_finder() -> size_t (*)(std::span<const std::byte>) {
  if constexpr (kRequestSize<Args>.straight) {
    return [](std::span<const std::byte> bytes) {
      constexpr size_t kLeast = kRequestSize<Args>.least;
      return bytes.size() < kLeast ? 0 : request_length<Args>(bytes.data(), bytes.size() - kLeast);
    };
  } else {
    return nullptr;
  }
}

template <class Args>
constexpr CommandCodec command_codec() {
  return {
      Args::kCommand,
      Args::kName,
      sizeof(Args),
      [](Randomizer& codec, void* args) {
        protocol::request(codec, *static_cast<Args*>(args));
        if constexpr (requires(Args& a) { a.ret; }) codec.scalar(static_cast<Args*>(args)->ret);
      },
      [](Encoder& codec, void* args) { protocol::request(codec, *static_cast<Args*>(args)); },
      [](RawDecoder& codec, void* args) { protocol::request(codec, *static_cast<Args*>(args)); },
      straight_decoder<Args>(),
      length_finder<Args>(),
      [](Encoder& codec, void* args) { protocol::reply(codec, *static_cast<Args*>(args)); },
      [](RawDecoder& codec, void* args) { protocol::reply(codec, *static_cast<Args*>(args)); },
      [](OutputFiller& codec, void* args) { protocol::reply(codec, *static_cast<Args*>(args)); },
      caller<Args>(),
  };
}

template <size_t kSlice, size_t kPosition, class List>
struct Slice;
template <size_t kSlice, size_t kPosition>
struct Slice<kSlice, kPosition, protocol::TypeList<>> {
  static void add(std::vector<CommandCodec>&) {}
};
template <size_t kSlice, size_t kPosition, class First, class... Rest>
struct Slice<kSlice, kPosition, protocol::TypeList<First, Rest...>> {
  static void add(std::vector<CommandCodec>& rows) {
    if constexpr (kPosition == kSlice) rows.push_back(command_codec<First>());
    Slice<kSlice, (kPosition + 1) % 4, protocol::TypeList<Rest...>>::add(rows);
  }
};

template <size_t kSlice>
std::span<const CommandCodec> command_slice() {
  static const std::vector<CommandCodec> rows = [] {
    std::vector<CommandCodec> made;
    Slice<kSlice, 0, protocol::CommandTypes>::add(made);
    return made;
  }();
  return rows;
}

}  // namespace pvgpu::venus::testing
