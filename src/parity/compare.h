// The parity table: what a guest is shown, against what the host's driver shows natively, each difference with who makes it
// and why. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "describe/fact.h"
#include "host/extensions.h"
#include "host/profile.h"

namespace pvgpu::parity {

enum class Cause {
  kHidden,       // we keep it from guests, or change it
  kEmulated,     // we provide it, since the driver does not
  kProtocol,     // the Venus protocol does not carry it, or this build's registry is too old for it
  kGuestDriver,  // the guest's driver leaves it out or changes it
  kGuestAdds,    // the guest's driver or loader provides it
  kUnexplained,
};
inline constexpr Cause kCauses[] = {Cause::kUnexplained, Cause::kHidden,      Cause::kEmulated,
                                    Cause::kProtocol,    Cause::kGuestDriver, Cause::kGuestAdds};
// "hidden by pvgpu", "the guest's driver" …
std::string_view cause_name(Cause cause);

struct Difference {
  describe::Kind kind{};
  char sign = '~';    // '-': only native, '+': only the guest, '~': both, with another value
  std::string name;   // Fact::name(), or of a whole structure or format that one side lacks
  std::string native, guest;  // values; empty for what one side lacks
  Cause cause = Cause::kUnexplained;
  std::string reason;
};

struct Lack {
  describe::Kind kind{};
  std::string name;  // of a feature without its structure: there may be several
};

struct Count {
  describe::Kind kind{};
  size_t native = 0, guest = 0;  // things that each side shows
};

struct Table {
  std::string native_name, native_driver, native_level;
  std::string guest_name, guest_driver, guest_level;
  std::vector<Count> counts;            // of all kinds
  std::vector<Difference> differences;  // by kind, then by name
  // What is no difference, since the driver itself has not got it: features of structures that it shows, and extensions that a guest
  // could have. By kind, then in the registry's order.
  std::vector<Lack> driver_lacks;
  // Extensions of the driver that this build's registry does not have, so that their structures were not compared.
  std::vector<std::string> unread_extensions;
  bool explained() const;
};

// What is known of one device from each side. `offer`: what this host tells guests' drivers, described through the protocol.
struct Sides {
  const host::DriverProfile& profile;
  host::CarriedExtensions carried;
  std::span<const describe::Fact> native_instance, guest_instance;
  const describe::Device& native;
  const describe::Device& offer;
  const describe::Device& guest;
};
Table compare(const Sides& sides);

}  // namespace pvgpu::parity
