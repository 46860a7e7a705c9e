#include "host/verdicts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "host/emulation/dma_buf.h"
#include "host/emulation/linear_modifier.h"
#include "host/emulation/queue_family.h"
#include "host/emulation/sync_fd.h"
#include "host/extensions.h"
#include "host/sparse.h"

namespace pvgpu::host {
namespace {

// What programs in guests miss most when a driver lacks it, and what follows.
struct Missed {
  std::string_view name;
  std::string_view consequence;
};
constexpr std::array kMissed = {
    Missed{"VK_KHR_synchronization2", "guests stay at Vulkan 1.2"},
    Missed{"VK_EXT_transform_feedback", "OpenGL through Zink and DXVK need it"},
    Missed{"VK_EXT_robustness2", "DXVK and VKD3D-Proton need its null descriptors"},
    Missed{"VK_EXT_custom_border_color", "OpenGL through Zink and DXVK want it"},
    Missed{"VK_EXT_line_rasterization", "OpenGL through Zink wants it"},
    Missed{"VK_EXT_graphics_pipeline_library", "DXVK compiles shaders later and stutters more"},
};

Emulation decide(const DriverProfile& profile) {
  DriverProfile decided = profile;
  decided.emulation = {};
  decided.emulation.sync_fd_semaphore = sync_fd::needs_semaphore(profile);
  decided.emulation.sync_fd_fence = sync_fd::needs_fence(profile);
  decided.emulation.queue_family_foreign = queue_family::needs_foreign(profile);
  decided.emulation.dma_buf_memory = dma_buf::needs_memory(profile);
  // Depends on the line above.
  decided.emulation.linear_modifier = linear_modifier::needs_modifier(decided);
  return decided.emulation;
}

std::string why_emulated(const DriverProfile& profile, std::string_view name) {
  const bool listed = profile.has_extension(name);
  if (name == VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME) {
    return listed ? "the driver cannot import SYNC_FD; semaphores are signalled by this host"
                  : "the driver lacks it; semaphores are signalled by this host";
  }
  if (name == VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME) {
    return listed ? "the driver cannot export SYNC_FD; fences are waited for by this host"
                  : "the driver lacks it; fences are waited for by this host";
  }
  if (name == VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME) {
    return listed ? "the driver's modifiers need its own dma-bufs; LINEAR is linear tiling here"
                  : "the driver lacks it; LINEAR is linear tiling here";
  }
  if (name == VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME) {
    return "the driver lacks it; VK_QUEUE_FAMILY_EXTERNAL stands for it";
  }
  return fmt::format("the driver {}; memory of this host is exported instead",
                     listed ? "exports none that is mappable" : "lacks it");
}

void add_emulated(DriverProfile& profile) {
  auto add = [&](bool needed, std::span<const VkExtensionProperties> claims) {
    if (!needed) return;
    for (const VkExtensionProperties& claim : claims) {
      profile.verdicts.push_back(
          {claim.extensionName, Treatment::kEmulated, why_emulated(profile, claim.extensionName)});
    }
  };
  add(profile.emulation.sync_fd_semaphore, sync_fd::semaphore_extensions());
  add(profile.emulation.sync_fd_fence, sync_fd::fence_extensions());
  add(profile.emulation.dma_buf_memory, dma_buf::extensions());
  add(profile.emulation.linear_modifier, linear_modifier::extensions());
  add(profile.emulation.queue_family_foreign, queue_family::extensions());
}

void add_driver_extensions(DriverProfile& profile, const CarriedExtensions& carried) {
  for (const VkExtensionProperties& extension : profile.driver_extensions) {
    const std::string_view name = extension.extensionName;
    if (profile.verdict(name)) continue;
    const std::string_view reason = hidden_reason(name);
    FeatureVerdict verdict{std::string(name), Treatment::kPassedThrough, ""};
    if (!reason.empty()) {
      verdict.treatment = Treatment::kHidden;
      verdict.reason = reason;
    } else if (const auto why = carried.why_not ? carried.why_not(name) : ""; !why.empty()) {
      verdict.treatment = Treatment::kHidden;
      verdict.reason = why;
    }
    profile.verdicts.push_back(std::move(verdict));
  }
}

void add_memory(DriverProfile& profile) {
  for (uint32_t i = 0; i < profile.memory.memoryTypeCount; ++i) {
    const MemoryTypePlan& plan = profile.memory_plan[i];
    if (!plan.hidden) continue;
    profile.verdicts.push_back(
        {fmt::format("HOST_VISIBLE of memory type {}", i), Treatment::kHidden, plan.verdict});
  }
  if (sparse::is_hidden(profile)) {
    profile.verdicts.push_back({std::string(sparse::kName), Treatment::kHidden, std::string(sparse::kReason)});
  }
  if (profile.split_memory_types) {
    profile.verdicts.push_back({std::string(kMemoryForImages), Treatment::kEmulated,
                                "the driver imports pointers for buffers and images of linear tiling only; other "
                                "images get the driver's own memory, as a memory type that guests cannot map"});
  }
  if (profile.unlisted_linear_import) {
    profile.verdicts.push_back(
        {"images of linear tiling on shared memory", Treatment::kEmulated,
         "the driver takes them without listing HOST_ALLOCATION for them, which the validation "
         "layer may mention"});
  }
  VkExternalMemoryHandleTypeFlags planned = 0;
  for (const MemoryTypePlan& plan : profile.memory_plan) {
    planned |= strategy_handle_type(plan.strategy);
  }
  if (planned & ~profile.buffer_handle_types) {
    profile.verdicts.push_back(
        {"external create-info on buffers", Treatment::kHidden,
         "the driver would keep such buffers out of other memory types; it is left out, which "
         "the validation layer may mention"});
  }
}

void add_absent(DriverProfile& profile, const CarriedExtensions& carried) {
  for (const Missed& missed : kMissed) {
    if (profile.has_extension(missed.name)) continue;
    profile.verdicts.push_back({std::string(missed.name), Treatment::kAbsent,
                                fmt::format("the driver lacks it; {}", missed.consequence)});
  }
  for (std::string_view name : carried.names) {
    if (profile.verdict(name) || !hidden_reason(name).empty()) continue;
    profile.verdicts.push_back({std::string(name), Treatment::kAbsent, "the driver lacks it"});
  }
}

}  // namespace

void judge(DriverProfile& profile, const CarriedExtensions& carried) {
  profile.emulation = decide(profile);
  profile.verdicts.clear();
  add_emulated(profile);
  add_memory(profile);
  add_driver_extensions(profile, carried);
  add_absent(profile, carried);
}

}  // namespace pvgpu::host
