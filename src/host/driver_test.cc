// The host on a real driver, lavapipe: these cases are skipped, with a message, only where no driver is.
#include <gmock/gmock.h>

#include <cstdlib>

#include "host/emulation/linear_modifier.h"
#include "host/extensions.h"
#include "host/external_info.h"
#include "host/host.h"
#include "host/info.h"
#include "host/memory.h"
#include "host/probe_instance.h"
#include "host/profile_json.h"
#include "observe/log.h"

namespace pvgpu::host {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StrEq;

TEST(Dummy, Print) {
  observe::set_level(observe::Level::kDebug);
  auto host = Host::open({});
  ASSERT_TRUE(host) << host.error().what << host.error().hint;
  fmt::print("{}{}{}", info_text(**host, true), info_json(**host).substr(0,3000), *list_gpus_text({}));
}
}  // namespace
}  // namespace pvgpu::host
