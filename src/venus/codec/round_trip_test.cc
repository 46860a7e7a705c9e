// What holds for every command and every structure of the protocol, with random contents: what the
// guest encodes is what the host decodes, and back; a message that ends early is always noticed,
// and a damaged one never leaves its bytes.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <string>

#include "venus/testing/bytes.h"
#include "venus/testing/command_codecs.h"

namespace pvgpu::venus {
namespace {

using namespace testing;

constexpr uint64_t kSeeds = 12;

struct ArgsMemory {
  explicit ArgsMemory(size_t size) : words((size + 7) / 8) {}
  void* get() { return words.data(); }
  std::vector<uint64_t> words;
};

class RoundTrip : public ::testing::TestWithParam<int> {
 protected:
  std::span<const CommandCodec> commands() const {
    constexpr auto kSlices =
        std::to_array({command_slice_0, command_slice_1, command_slice_2, command_slice_3});
    return kSlices[static_cast<size_t>(GetParam())]();
  }
  // Calls `check(command, args, seed)` with random arguments of every command of the slice.
  template <class Check>
  void for_each(Check check, bool chains = true) {
    for (const CommandCodec& command : commands()) {
      for (uint64_t seed = 0; seed < kSeeds && !HasFatalFailure(); ++seed) {
        SCOPED_TRACE(std::string(command.name) + ", seed " + std::to_string(seed));
        wire::Arena arena;
        Randomizer randomizer(arena, seed * 1000 + command.number);
        if (!chains) randomizer.leave_out_chains();
        ArgsMemory args(command.size);
        command.randomize(randomizer, args.get());
        check(command, args, seed);
      }
    }
  }
};

using Coder = void (*)(Encoder&, void*);
Bytes encoded(Coder coder, ArgsMemory& args) {
  return encode([&](Encoder& encoder, wire::Writer&) { coder(encoder, args.get()); });
}

// A decoder over exactly `bytes`, and its verdict.
struct Decoding {
  explicit Decoding(std::span<const std::byte> bytes)
      : reader(bytes), decoder(reader, arena, handles) {}
  wire::Arena arena{size_t{16} << 20};  // damaged counts are refused early
  RawHandles handles;
  wire::Reader reader;
  RawDecoder decoder;
};

TEST_P(RoundTrip, RequestsAreDecodedAsEncoded) {
  for_each([](const CommandCodec& command, ArgsMemory& args, uint64_t) {
    const Bytes bytes = encoded(command.encode_request, args);
    Decoding host(bytes);
    ArgsMemory decoded(command.size);
    command.decode_request(host.decoder, decoded.get());
    ASSERT_FALSE(host.decoder.failed())
        << poison_name(host.decoder.error().reason) << " " << host.decoder.error().value << "\n"
        << to_hex(bytes);
    EXPECT_EQ(host.reader.remaining(), 0u);
    EXPECT_EQ(to_hex(encoded(command.encode_request, decoded)), to_hex(bytes));
  });
}

TEST_P(RoundTrip, RepliesAreDecodedAsEncoded) {
  for_each([](const CommandCodec& command, ArgsMemory& args, uint64_t) {
    const Bytes bytes = encoded(command.encode_reply, args);
    Decoding guest(bytes);
    ArgsMemory decoded(args);  // the guest knows what it asked for
    command.decode_reply(guest.decoder, decoded.get());
    ASSERT_FALSE(guest.decoder.failed()) << poison_name(guest.decoder.error().reason) << "\n"
                                         << to_hex(bytes);
    EXPECT_EQ(guest.reader.remaining(), 0u);
    EXPECT_EQ(to_hex(encoded(command.encode_reply, decoded)), to_hex(bytes));
  });
}

// The host answers from what it decoded, not from what the guest has: the reply must have the same
// size.
TEST_P(RoundTrip, RepliesFitTheGuestsSlot) {
  for_each([](const CommandCodec& command, ArgsMemory& args, uint64_t) {
    const Bytes request = encoded(command.encode_request, args);
    Decoding host(request);
    ArgsMemory decoded(command.size);
    command.decode_request(host.decoder, decoded.get());
    ASSERT_FALSE(host.decoder.failed());
    EXPECT_LE(encoded(command.encode_reply, decoded).size(),
              encoded(command.encode_reply, args).size());
  });
}

TEST_P(RoundTrip, RequestsThatEndEarlyAreTruncated) {
  for_each([](const CommandCodec& command, ArgsMemory& args, uint64_t seed) {
    const Bytes whole = encoded(command.encode_request, args);
    std::mt19937_64 random(seed);
    for (size_t words = 0; words < whole.size() / 4;
         words += 1 + (whole.size() > 400 ? random() % (whole.size() / 100) : 0)) {
      const Bytes bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(words * 4));
      Decoding host(bytes);
      ArgsMemory decoded(command.size);
      command.decode_request(host.decoder, decoded.get());
      ASSERT_TRUE(host.decoder.failed()) << "at " << words * 4 << " of " << whole.size();
      ASSERT_EQ(host.decoder.error().reason, PoisonReason::kTruncated)
          << "at " << words * 4 << " of " << whole.size();
    }
  });
}

// Whether damaged bytes still mean something is not our business; the sanitizers watch where they
// lead.
TEST_P(RoundTrip, DamagedMessagesStayInTheirBytes) {
  for_each([](const CommandCodec& command, ArgsMemory& args, uint64_t seed) {
    std::mt19937_64 random(seed);
    for (const bool is_request : {true, false}) {
      Bytes bytes = encoded(is_request ? command.encode_request : command.encode_reply, args);
      if (bytes.empty()) continue;
      for (int damage = 0; damage < 20; ++damage) {
        static constexpr uint8_t kValues[] = {0, 1, 2, 0x7f, 0x80, 0xff};
        bytes[random() % bytes.size()] = std::byte{kValues[random() % std::size(kValues)]};
        Decoding decoding(bytes);
        ArgsMemory decoded(args);
        (is_request ? command.decode_request : command.decode_reply)(decoding.decoder,
                                                                     decoded.get());
        if (is_request && !decoding.decoder.failed())
          (void)encoded(command.encode_request, decoded);
      }
    }
  });
}

// What is decoded straight is what the decoder makes of it, whatever is there, and as long as it was found to be; and what a guest mostly
// sends is decoded straight.
TEST_P(RoundTrip, StraightIsTheSame) {
  const auto straight = [](const CommandCodec& command, const Bytes& bytes) {
    wire::Arena arena{size_t{16} << 20};
    ArgsMemory args(command.size), expected(command.size);
    const std::optional<size_t> taken = command.decode_straight(bytes, arena, args.get());
    const size_t length = command.length(bytes);
    EXPECT_LE(length, bytes.size());
    if (!taken) return false;
    EXPECT_EQ(length, *taken) << to_hex(bytes);
    Decoding host(bytes);
    command.decode_request(host.decoder, expected.get());
    EXPECT_FALSE(host.decoder.failed()) << to_hex(bytes);
    EXPECT_EQ(*taken, bytes.size() - host.reader.remaining());
    EXPECT_EQ(to_hex(encoded(command.encode_request, args)),
              to_hex(encoded(command.encode_request, expected)));
    return true;
  };
  std::set<std::string> names;
  for (const bool chains : {false, true}) {
    for_each(
        [&](const CommandCodec& command, ArgsMemory& args, uint64_t seed) {
          if (!command.decode_straight) return;
          names.insert(command.name);
          Bytes bytes = encoded(command.encode_request, args);
          EXPECT_TRUE(straight(command, bytes) || chains);
          std::mt19937_64 random(seed);
          for (int cut = 0; cut < 20; ++cut) {
            const size_t words = random() % (bytes.size() / 4);
            ASSERT_FALSE(straight(command, Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(words * 4))))
                << words * 4 << " of " << bytes.size();
          }
          for (int damage = 0; damage < 20; ++damage) {
            static constexpr uint8_t kValues[] = {0, 1, 2, 0x7f, 0x80, 0xff};
            bytes[random() % bytes.size()] = std::byte{kValues[random() % std::size(kValues)]};
            straight(command, bytes);
          }
          // A size and the count behind it, as large as can be said.
          const Bytes good = encoded(command.encode_request, args);
          for (size_t at = 8; at + 16 <= good.size() && at < 200; at += 4) {
            for (const uint8_t last : {0xff, 0xfc}) {
              bytes = good;
              std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), 16, std::byte{0xff});
              bytes[at] = bytes[at + 8] = std::byte{last};
              straight(command, bytes);
            }
          }
        },
        chains);
  }
  EXPECT_GT(names.size(), 50u);
}

INSTANTIATE_TEST_SUITE_P(Slices, RoundTrip, ::testing::Range(0, 4));

TEST(ChainRoundTrip, EveryBodyIsDecodedAsEncoded) {
  for (uint32_t i = 0; i < protocol::kChainCount; ++i) {
    const protocol::ChainStruct& entry = protocol::kChainStructs[i];
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      SCOPED_TRACE(std::string(entry.name) + ", seed " + std::to_string(seed));
      wire::Arena arena;
      Randomizer randomizer(arena, seed * 1000 + i);
      ArgsMemory body(entry.size), decoded(entry.size);
      ChainBodies<Randomizer>::kTable[i](randomizer, body.get());
      const auto whole = [&](ArgsMemory& from) {
        return encoded(ChainBodies<Encoder>::kTable[i], from);
      };
      const Bytes bytes = whole(body);
      Decoding host(bytes);
      ChainBodies<RawDecoder>::kTable[i](host.decoder, decoded.get());
      ASSERT_FALSE(host.decoder.failed()) << poison_name(host.decoder.error().reason);
      EXPECT_EQ(host.reader.remaining(), 0u);
      EXPECT_EQ(to_hex(whole(decoded)), to_hex(bytes));
    }
  }
}

TEST(ChainRoundTrip, EveryShapeIsDecodedAsEncoded) {
  for (uint32_t i = 0; i < protocol::kChainCount; ++i) {
    const protocol::ChainStruct& entry = protocol::kChainStructs[i];
    SCOPED_TRACE(entry.name);
    wire::Arena arena;
    Randomizer randomizer(arena, i);
    ArgsMemory body(entry.size), decoded(entry.size);
    ChainBodies<Randomizer>::kTable[i](randomizer, body.get());
    const auto shape = [&](ArgsMemory& from) {
      return encode([&](Encoder& encoder, wire::Writer&) {
        auto outline = encoder.shape();
        ChainBodies<Encoder::Shape>::kTable[i](outline, from.get());
      });
    };
    const Bytes bytes = shape(body);
    Decoding host(bytes);
    auto outline = host.decoder.shape();
    ChainBodies<RawDecoder::Shape>::kTable[i](outline, decoded.get());
    if (host.decoder
            .failed()) {  // inputs with strings never are outputs; nothing else may be refused
      EXPECT_EQ(host.decoder.error().reason, PoisonReason::kBadPresence);
      continue;
    }
    EXPECT_EQ(host.reader.remaining(), 0u);
    EXPECT_EQ(to_hex(shape(decoded)), to_hex(bytes));
  }
}

TEST(CommandCodecs, CoverEveryCommandOnce) {
  const auto all = all_commands();
  std::vector<bool> seen(protocol::kCommandLimit);
  for (const CommandCodec& command : all) {
    EXPECT_FALSE(seen.at(command.number)) << command.name;
    seen.at(command.number) = true;
    EXPECT_STREQ(command.name, protocol::command_name(command.number));
  }
  EXPECT_GT(all.size(), 300u);
}

}  // namespace
}  // namespace pvgpu::venus
