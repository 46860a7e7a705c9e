// Which device extensions this build decodes, and why not the others.
#include <array>
#include <vector>

#include "host/extensions.h"
#include "protocol/tables.h"
#include "venus/context.h"

namespace pvgpu::venus {
namespace {

struct Uncarried {
  std::string_view name;
  std::string_view why;
};
// Those that the protocol has a place for. Never empty: the protocol's own extensions are among them.
constexpr Uncarried kUncarried[] = {
#include "protocol/uncarried.inc"
};

std::string_view why_not(std::string_view name) {
  if (const protocol::Extension* known = protocol::find_extension(name)) {
    return known->instance ? "an extension of instances, which guests have of their own" : "";
  }
  for (const Uncarried& uncarried : kUncarried)
    if (uncarried.name == name) return uncarried.why;
  return "the Venus protocol lacks it";
}

}  // namespace

host::CarriedExtensions carried_extensions() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> made;
    for (const protocol::Extension& extension : protocol::extensions())
      if (!extension.instance) made.push_back(extension.name);
    return made;
  }();
  return {&why_not, names};
}

}  // namespace pvgpu::venus
