#include "host/self_test.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "host/external_info.h"
#include "host/memory_types.h"
#include "host/test_device.h"
#include "observe/log.h"
#include "platform/fd.h"
#include "platform/shared_memory.h"
#include "platform/system_call.h"

namespace pvgpu::host {
namespace {

constexpr VkBufferUsageFlags kTransfer =
    VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;

// This process in the role of the guest: a mapping of what the guest would be given.
class GuestView {
 public:
  static Step<GuestView> map(int fd, size_t size) {
    // Touching a mapping past the end of its file ends the process, so the size is asked first.
    // Device files, which is what some drivers' descriptors are, have none.
    const off_t length = ::lseek(fd, 0, SEEK_END);
    if (length < 0 || static_cast<size_t>(length) < size) {
      return std::unexpected("the descriptor does not tell its size or is too small");
    }
    void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      return std::unexpected("mmap: " + platform::error_text(errno));
    }
    GuestView view;
    view.bytes_ = {static_cast<std::byte*>(data), size};
    return view;
  }
  GuestView(GuestView&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  GuestView& operator=(GuestView&&) = delete;
  ~GuestView() {
    if (bytes_.data()) ::munmap(bytes_.data(), bytes_.size());
  }
  std::byte* data() const { return bytes_.data(); }

 private:
  GuestView() = default;
  std::span<std::byte> bytes_;
};

// Words that differ from each other and between seeds, so that a shifted or stale view is noticed.
std::vector<uint32_t> pattern(uint32_t seed) {
  std::vector<uint32_t> words(TestDevice::kBufferSize / sizeof(uint32_t));
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = seed ^ (static_cast<uint32_t>(i) * 2654435761u);
  }
  return words;
}

void write(std::byte* to, const std::vector<uint32_t>& words) {
  std::memcpy(to, words.data(), words.size() * sizeof(uint32_t));
  std::atomic_thread_fence(std::memory_order_seq_cst);  // drains write-combining buffers too
}

bool holds(const std::byte* at, const uint32_t* words, size_t bytes) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return std::memcmp(at, words, bytes) == 0;
}

// Whether the driver says that `image` can be bound to memory that is imported by pointer.
bool lists_import(const ImageQuery& ask, const VkImageCreateInfo& image) {
  const auto listed = ask(image, VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT);
  return listed && (listed->externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) &&
         !(listed->externalMemoryFeatures & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT);
}

// A buffer and its memory, freed in the order that Vulkan wants.
struct TestMemory {
  explicit TestMemory(TestDevice& test) : device(test) {}
  TestMemory(const TestMemory&) = delete;
  ~TestMemory() {
    if (device.hung()) return;
    if (buffer) device.functions().DestroyBuffer(device.handle(), buffer, nullptr);
    if (memory) device.functions().FreeMemory(device.handle(), memory, nullptr);
  }
  TestDevice& device;
  VkBuffer buffer = VK_NULL_HANDLE;
  VkDeviceMemory memory = VK_NULL_HANDLE;
  bool gpu_reachable = false;  // the buffer can be bound to this memory type
};

// Where a GPU that hangs may still write, and nobody may ever unmap.
void keep_forever(platform::SharedMemory memory) {
  static auto* kept = new std::vector<platform::SharedMemory>;
  kept->push_back(std::move(memory));
}

class MemoryTest {
 public:
  MemoryTest(const InstanceFunctions& functions, VkPhysicalDevice physical, TestDevice& device,
             const DriverProfile& profile)
      : functions_(functions), physical_(physical), device_(device), profile_(profile) {}

  MemoryTypePlan plan(uint32_t type);
  // The handle types of `wanted` that cost a buffer no memory type.
  VkExternalMemoryHandleTypeFlags harmless_for_buffers(VkExternalMemoryHandleTypeFlags wanted);
  // See DriverProfile::unlisted_linear_import; `shared` are the memory types that are imported.
  bool takes_linear_images_unlisted(uint32_t shared);
  // See DriverProfile::harmless_linear_import.
  bool imports_linear_images() const;
  // Whether images of optimal tiling can be bound to imported memory, if the driver's word is taken.
  bool imports_for_all_images() const;

 private:
  Step<void> try_strategy(MemoryStrategy strategy, uint32_t type);
  Step<void> try_import(uint32_t type);
  Step<void> try_export(uint32_t type, VkExternalMemoryHandleTypeFlagBits handle);
  Step<void> supported(VkExternalMemoryHandleTypeFlagBits handle,
                       VkExternalMemoryFeatureFlags feature) const;
  Step<VkDeviceSize> create_buffer(TestMemory& test, uint32_t type,
                                   VkExternalMemoryHandleTypeFlagBits handle);
  Step<void> allocate(TestMemory& test, uint32_t type, VkDeviceSize size, const void* next);
  Step<void> compare(TestMemory& test, std::byte* guest);
  Step<void> compare_mapped(TestMemory& test, std::byte* host, std::byte* guest);

  const InstanceFunctions& functions_;
  VkPhysicalDevice physical_;
  TestDevice& device_;
  const DriverProfile& profile_;
};

MemoryTypePlan MemoryTest::plan(uint32_t type) {
  const VkMemoryPropertyFlags flags = profile_.memory.memoryTypes[type].propertyFlags;
  MemoryTypePlan plan;
  if (!(flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) {
    plan.verdict = "not host-visible, nothing to share";
    return plan;
  }
  plan.hidden = true;
  if (!(flags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)) {
    plan.verdict = "not host-coherent, and guests never flush";
    return plan;
  }
  // Allocating these takes features that no guest enables through this host.
  if (flags & (VK_MEMORY_PROPERTY_PROTECTED_BIT | VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD |
               VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD)) {
    plan.verdict = "protected or device-coherent memory, not offered";
    return plan;
  }
  std::string failures;
  for (MemoryStrategy strategy :
       {MemoryStrategy::kDmaBuf, MemoryStrategy::kHostImport, MemoryStrategy::kOpaqueFd}) {
    const Step<void> works = device_.hung() ? Step<void>(std::unexpected("the GPU hangs"))
                                            : try_strategy(strategy, type);
    if (works) {
      plan.strategy = strategy;
      plan.hidden = false;
      plan.verdict =
          fmt::format("{}: coherent both ways{}{}{}", strategy_name(strategy),
                      failures.empty() ? "" : " (", failures, failures.empty() ? "" : ")");
      return plan;
    }
    failures += fmt::format("{}{}: {}", failures.empty() ? "" : "; ", strategy_name(strategy),
                            works.error());
  }
  plan.verdict = "cannot be shared: " + failures;
  return plan;
}

Step<void> MemoryTest::try_strategy(MemoryStrategy strategy, uint32_t type) {
  if (strategy == MemoryStrategy::kHostImport) return try_import(type);
  const bool dma_buf = strategy == MemoryStrategy::kDmaBuf;
  if (!profile_.has_extension(dma_buf ? VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME
                                      : VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) ||
      !device_.functions().GetMemoryFdKHR) {
    return std::unexpected("the driver lacks the extension");
  }
  return try_export(type, VkExternalMemoryHandleTypeFlagBits(strategy_handle_type(strategy)));
}

Step<void> MemoryTest::supported(VkExternalMemoryHandleTypeFlagBits handle,
                                 VkExternalMemoryFeatureFlags feature) const {
  VkPhysicalDeviceExternalBufferInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO;
  info.usage = kTransfer;
  info.handleType = handle;
  VkExternalBufferProperties properties{};
  properties.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES;
  functions_.get_external_buffer_properties(physical_, &info, &properties);
  const auto features = properties.externalMemoryProperties.externalMemoryFeatures;
  if (!(features & feature)) {
    return std::unexpected(feature == VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT
                               ? "the driver says not importable"
                               : "the driver says not exportable");
  }
  if (features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) {
    return std::unexpected("the driver wants dedicated memory for every buffer");
  }
  return {};
}

Step<VkDeviceSize> MemoryTest::create_buffer(TestMemory& test, uint32_t type,
                                             VkExternalMemoryHandleTypeFlagBits handle) {
  const Step<VkBuffer> buffer = device_.create_buffer(kTransfer, handle);
  if (!buffer) return std::unexpected(buffer.error());
  test.buffer = *buffer;
  VkMemoryRequirements needs{};
  device_.functions().GetBufferMemoryRequirements(device_.handle(), test.buffer, &needs);
  test.gpu_reachable = (needs.memoryTypeBits >> type) & 1;
  const size_t unit =
      std::max(platform::page_size(), static_cast<size_t>(profile_.import_alignment));
  return platform::round_up(std::max<size_t>(needs.size, TestDevice::kBufferSize), unit);
}

Step<void> MemoryTest::allocate(TestMemory& test, uint32_t type, VkDeviceSize size,
                                const void* next) {
  VkMemoryAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
  info.pNext = next;
  info.allocationSize = size;
  info.memoryTypeIndex = type;
  VkResult result =
      device_.functions().AllocateMemory(device_.handle(), &info, nullptr, &test.memory);
  if (result != VK_SUCCESS) {
    test.memory = VK_NULL_HANDLE;
    return step_failed("vkAllocateMemory", result);
  }
  if (!test.gpu_reachable) return {};
  result = device_.functions().BindBufferMemory(device_.handle(), test.buffer, test.memory, 0);
  if (result != VK_SUCCESS) return step_failed("vkBindBufferMemory", result);
  return {};
}

Step<void> MemoryTest::try_export(uint32_t type, VkExternalMemoryHandleTypeFlagBits handle) {
  if (auto ok = supported(handle, VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT); !ok) return ok;
  TestMemory test(device_);
  const Step<VkDeviceSize> size = create_buffer(test, type, handle);
  if (!size) return std::unexpected(size.error());
  VkExportMemoryAllocateInfo exported{};
  exported.sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO;
  exported.handleTypes = handle;
  if (auto ok = allocate(test, type, *size, &exported); !ok) return ok;
  VkMemoryGetFdInfoKHR get{};
  get.sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR;
  get.memory = test.memory;
  get.handleType = handle;
  int raw_fd = -1;
  const VkResult result = device_.functions().GetMemoryFdKHR(device_.handle(), &get, &raw_fd);
  if (result != VK_SUCCESS) return step_failed("vkGetMemoryFdKHR", result);
  const platform::UniqueFd fd(raw_fd);
  const Step<GuestView> view = GuestView::map(fd.get(), *size);
  if (!view) return std::unexpected(view.error());
  return compare(test, view->data());
}

Step<void> MemoryTest::try_import(uint32_t type) {
  constexpr auto kHandle = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  if (!profile_.external_memory_host || !device_.functions().GetMemoryHostPointerPropertiesEXT) {
    return std::unexpected("the driver lacks the extension");
  }
  if (profile_.import_alignment > platform::page_size()) {
    return std::unexpected(
        fmt::format("the driver wants pointers aligned to {} bytes, a page has {}",
                    profile_.import_alignment, platform::page_size()));
  }
  if (auto ok = supported(kHandle, VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT); !ok) return ok;
  // Declared before the memory that the driver makes of it, so that it goes last.
  platform::SharedMemory shared;
  TestMemory test(device_);
  const Step<VkDeviceSize> size = create_buffer(test, type, kHandle);
  if (!size) return std::unexpected(size.error());
  Result<platform::SharedMemory> created = platform::SharedMemory::create(*size, "pvgpu-self-test");
  if (!created) return std::unexpected(created.error().what);
  shared = std::move(*created);
  VkMemoryHostPointerPropertiesEXT allowed{};
  allowed.sType = VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT;
  const VkResult result = device_.functions().GetMemoryHostPointerPropertiesEXT(
      device_.handle(), kHandle, shared.data(), &allowed);
  if (result != VK_SUCCESS) return step_failed("vkGetMemoryHostPointerPropertiesEXT", result);
  if (!((allowed.memoryTypeBits >> type) & 1)) {
    return std::unexpected("the driver imports pointers into other memory types only");
  }
  VkImportMemoryHostPointerInfoEXT import{};
  import.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT;
  import.handleType = kHandle;
  import.pHostPointer = shared.data();
  if (auto ok = allocate(test, type, shared.size(), &import); !ok) return ok;
  const Step<GuestView> view = GuestView::map(shared.fd().get(), shared.size());
  if (!view) return std::unexpected(view.error());
  Step<void> same = compare(test, view->data());
  if (device_.hung()) keep_forever(std::move(shared));
  return same;
}

Step<void> MemoryTest::compare(TestMemory& test, std::byte* guest) {
  void* host = nullptr;
  const VkResult result =
      device_.functions().MapMemory(device_.handle(), test.memory, 0, VK_WHOLE_SIZE, 0, &host);
  if (result != VK_SUCCESS) return step_failed("vkMapMemory", result);
  Step<void> same = compare_mapped(test, static_cast<std::byte*>(host), guest);
  if (!device_.hung()) device_.functions().UnmapMemory(device_.handle(), test.memory);
  return same;
}

Step<void> MemoryTest::compare_mapped(TestMemory& test, std::byte* host, std::byte* guest) {
  const std::vector<uint32_t> from_host = pattern(0x50764770), from_guest = pattern(0x47756573);
  write(host, from_host);
  // Before anything is written through the guest's view: where the data starts elsewhere in the
  // file, its first bytes are the driver's own.
  if (!holds(guest, from_host.data(), TestDevice::kBufferSize)) {
    return std::unexpected("the guest's view does not show the driver's bytes from offset 0");
  }
  write(guest, from_guest);
  if (!holds(host, from_guest.data(), TestDevice::kBufferSize)) {
    return std::unexpected("the driver's mapping does not show the guest's writes");
  }
  if (!test.gpu_reachable) return {};
  constexpr uint32_t kFill = 0xf111b17e;
  if (auto ran = device_.run_gpu(test.buffer, kFill); !ran) return ran;
  constexpr size_t kPart = TestDevice::kPart;
  const std::vector<uint32_t> filled(kPart / sizeof(uint32_t), kFill);
  if (!holds(guest, filled.data(), kPart)) {
    return std::unexpected("the guest's view does not show the GPU's writes");
  }
  if (!holds(guest + 2 * kPart, from_guest.data() + kPart / sizeof(uint32_t), kPart)) {
    return std::unexpected("the GPU does not see the guest's writes");
  }
  return {};
}

VkExternalMemoryHandleTypeFlags MemoryTest::harmless_for_buffers(
    VkExternalMemoryHandleTypeFlags wanted) {
  constexpr VkBufferUsageFlags kUsual =
      kTransfer | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT | VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
      VK_BUFFER_USAGE_INDEX_BUFFER_BIT | VK_BUFFER_USAGE_VERTEX_BUFFER_BIT |
      VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
  auto memory_types = [&](VkExternalMemoryHandleTypeFlags handle_types) -> uint32_t {
    const Step<VkBuffer> buffer = device_.create_buffer(kUsual, handle_types);
    if (!buffer) return 0;
    VkMemoryRequirements needs{};
    device_.functions().GetBufferMemoryRequirements(device_.handle(), *buffer, &needs);
    device_.functions().DestroyBuffer(device_.handle(), *buffer, nullptr);
    return needs.memoryTypeBits;
  };
  const uint32_t plain = memory_types(0);
  if (plain == 0) return 0;
  VkExternalMemoryHandleTypeFlags harmless = 0;
  for (VkExternalMemoryHandleTypeFlags left = wanted; left != 0; left &= left - 1) {
    const VkExternalMemoryHandleTypeFlags handle = left & ~(left - 1);
    const uint32_t external = memory_types(handle);
    if ((plain & ~external) == 0) harmless |= handle;
    LOG_DEBUG("buffers of handle type {:#x}: memory types {:#x}, without it {:#x}", handle,
              external, plain);
  }
  return harmless;
}

bool MemoryTest::takes_linear_images_unlisted(uint32_t shared) {
  const VkImageCreateInfo image = usual_image(VK_IMAGE_TILING_LINEAR);
  const ImageQuery ask = driver_image_query(functions_.get_image_format_properties2, physical_);
  if (lists_import(ask, image)) return false;
  // No handle type at all: does the image exist?
  if (!ask(image, VkExternalMemoryHandleTypeFlagBits(0))) return false;
  return (device_.image_memory_types(image) & shared) != 0;
}

bool MemoryTest::imports_linear_images() const {
  VkImageCreateInfo image = usual_image(VK_IMAGE_TILING_LINEAR);
  if (!lists_import(driver_image_query(functions_.get_image_format_properties2, physical_), image)) return false;
  const uint32_t plain = device_.image_memory_types(image);
  VkExternalMemoryImageCreateInfo external{};
  external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO;
  external.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
  image.pNext = &external;
  return plain != 0 && (plain & ~device_.image_memory_types(image)) == 0;
}

bool MemoryTest::imports_for_all_images() const {
  return lists_import(driver_image_query(functions_.get_image_format_properties2, physical_),
                      usual_image(VK_IMAGE_TILING_OPTIMAL));
}

}  // namespace

Result<void> test_memory(const InstanceFunctions& functions, VkPhysicalDevice device,
                         DriverProfile& profile) {
  Step<TestDevice> test_device = TestDevice::create(functions, device, profile);
  if (!test_device) {
    return fail(fmt::format("{} cannot be used: {}", profile.identity.name, test_device.error()),
                "choose another GPU with --gpu, or check the driver with vulkaninfo");
  }
  MemoryTest test(functions, device, *test_device, profile);
  const uint32_t count = std::min<uint32_t>(profile.memory.memoryTypeCount, VK_MAX_MEMORY_TYPES);
  VkExternalMemoryHandleTypeFlags wanted = 0;
  uint32_t imported = 0;
  bool usable = false;
  profile.all_types_host_visible = true;
  for (uint32_t i = 0; i < count; ++i) {
    MemoryTypePlan& plan = profile.memory_plan[i] = test.plan(i);
    LOG_DEBUG("{}: memory type {} (flags {:#x}): {}", profile.identity.name, i,
              profile.memory.memoryTypes[i].propertyFlags, plan.verdict);
    wanted |= strategy_handle_type(plan.strategy);
    if (plan.strategy == MemoryStrategy::kHostImport) imported |= 1u << i;
    usable |= plan.strategy != MemoryStrategy::kNone;
    if (!(profile.memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT)) {
      profile.all_types_host_visible = false;
    }
  }
  if (!usable) {
    return fail(fmt::format("{} has no memory that a guest could share: the driver is without any "
                            "memory strategy",
                            profile.identity.name),
                "the driver needs VK_EXT_external_memory_host or mappable dma-buf export; "
                "`pvgpu info --log-level debug` tells what each memory type failed");
  }
  profile.buffer_handle_types = test_device->hung() ? 0 : test.harmless_for_buffers(wanted);
  profile.unlisted_linear_import =
      imported != 0 && !test_device->hung() && test.takes_linear_images_unlisted(imported);
  profile.harmless_linear_import =
      imported != 0 && !test_device->hung() && test.imports_linear_images();
  // Where there are other types too, these images have them.
  const bool all_imported = imported == (uint64_t(1) << count) - 1;
  if (all_imported && !test.imports_for_all_images()) split_memory_types(profile);
  return {};
}

}  // namespace pvgpu::host
