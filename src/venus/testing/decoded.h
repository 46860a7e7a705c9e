// A message decoded in a test, with the memory that its structures point into.
#pragma once

#include <memory>

#include "venus/codec/raw_decoder.h"
#include "venus/testing/bytes.h"

namespace pvgpu::venus::testing {

template <class Args>
struct Decoded {
  Bytes bytes;
  std::unique_ptr<wire::Arena> arena = std::make_unique<wire::Arena>();
  Args args{};
  uint32_t number = 0, flags = 0;  // of a reply: the number alone
  bool failed = false;
  DecodeError error{};  // valid if it failed
  size_t left = 0;      // bytes that were not read
};

// The header and arguments of a command; of a wrong command, only the header.
template <class Args>
Decoded<Args> decode_request(Bytes bytes) {
  Decoded<Args> out;
  out.bytes = std::move(bytes);
  wire::Reader reader(out.bytes);
  RawHandles handles;
  RawDecoder decoder(reader, *out.arena, handles);
  out.number = reader.u32();
  out.flags = reader.u32();
  if (out.number == Args::kCommand) protocol::request(decoder, out.args);
  out.failed = decoder.failed();
  out.error = decoder.error();
  out.left = reader.remaining();
  return out;
}

// A reply to `request`, as the guest reads it.
template <class Args>
Decoded<Args> decode_reply(const Args& request, Bytes bytes) {
  Decoded<Args> out;
  out.bytes = std::move(bytes);
  out.args = request;
  wire::Reader reader(out.bytes);
  RawHandles handles;
  RawDecoder decoder(reader, *out.arena, handles);
  out.number = reader.u32();
  if (out.number == Args::kCommand) protocol::reply(decoder, out.args);
  out.failed = decoder.failed();
  out.error = decoder.error();
  out.left = reader.remaining();
  return out;
}

}  // namespace pvgpu::venus::testing
