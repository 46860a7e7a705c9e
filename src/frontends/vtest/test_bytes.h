// What the tests of this folder speak to the frontend with: a guest's messages, word by word.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "frontends/vtest/messages.h"

namespace pvgpu::frontends::vtest {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::span<const uint32_t> words) {
  auto bytes = std::as_bytes(words);
  return Bytes(bytes.begin(), bytes.end());
}

inline Bytes message(uint32_t id, std::vector<uint32_t> payload) {
  payload.insert(payload.begin(), {static_cast<uint32_t>(payload.size()), id});
  return bytes_of(payload);
}

inline Bytes message(CommandId id, std::vector<uint32_t> payload) {
  return message(static_cast<uint32_t>(id), std::move(payload));
}

// CREATE_RENDERER, whose length is in bytes.
inline Bytes name_message(std::string_view name) {
  uint32_t header[] = {static_cast<uint32_t>(name.size() + 1),
                       static_cast<uint32_t>(CommandId::kCreateRenderer)};
  Bytes bytes = bytes_of(header);
  for (char c : name) bytes.push_back(static_cast<std::byte>(c));
  bytes.push_back(std::byte{0});
  return bytes;
}

// SUBMIT_CMD2 as Venus writes it: one batch, the commands after it, then the syncs.
inline Bytes submit_message(std::span<const uint32_t> commands, uint32_t ring_idx = 0,
                            std::span<const SyncPoint> syncs = {}) {
  auto size = static_cast<uint32_t>(commands.size());
  std::vector<uint32_t> words = {1,       1, 7, size, 7 + size, static_cast<uint32_t>(syncs.size()),
                                 ring_idx};
  words.insert(words.end(), commands.begin(), commands.end());
  for (const SyncPoint& sync : syncs) {
    words.insert(words.end(), {sync.id, static_cast<uint32_t>(sync.value),
                               static_cast<uint32_t>(sync.value >> 32)});
  }
  return message(CommandId::kSubmitCmd2, std::move(words));
}

}  // namespace pvgpu::frontends::vtest
