// Memory of one context in another: what a guest imports by resource (VkImportMemoryResourceInfoMESA).
#include <gtest/gtest.h>

#include "platform/shared_memory.h"
#include "venus/testing/session.h"

namespace pvgpu::venus::testing {
namespace {

using namespace protocol;

constexpr VkDeviceSize kBytes = 8192;
constexpr uint32_t kForeign = 900;

class MemoryImportTest : public OnFakeDriver {
 protected:
  // A blob of new memory of `session`.
  static BlobMemory export_from(Session& session, uint32_t resource) {
    const VkDeviceMemory memory = session.allocate(kBytes);
    EXPECT_TRUE(session.submit(WaitRingSeqnoMESAArgs{Session::kRing, session.ring().tail()}));
    auto blob = session.context().create_blob(
        resource, {.flags = kBlobMappable | kBlobShareable, .blob_id = std::bit_cast<uint64_t>(memory), .size = kBytes});
    EXPECT_TRUE(blob);
    return blob ? std::move(*blob) : BlobMemory{};
  }
  static Decoded<AllocateMemoryArgs> import(Session& session, uint32_t resource, VkDeviceSize size, VkDeviceMemory memory) {
    const VkImportMemoryResourceInfoMESA source{VK_STRUCTURE_TYPE_IMPORT_MEMORY_RESOURCE_INFO_MESA, nullptr, resource};
    const VkMemoryAllocateInfo info{VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, &source, size, 1};
    return session.ring().call(AllocateMemoryArgs{session.device, &info, nullptr, &memory, VK_SUCCESS});
  }
  // The memory in `session` of a blob that another session exported.
  static VkDeviceMemory import_from_other(Session& session, BlobMemory blob) {
    EXPECT_TRUE(session.context().attach_resource(kForeign, std::move(blob.fd), kBytes));
    const auto memory = session.new_object<VkDeviceMemory>();
    EXPECT_EQ(import(session, kForeign, kBytes, memory).args.ret, VK_SUCCESS);
    return memory;
  }
  // Has the device of `session` fill `memory`, and waits for it.
  static void fill(Session& session, VkDeviceMemory memory, uint32_t value) {
    const VkBuffer buffer = session.create_buffer(kBytes);
    const VkBindBufferMemoryInfo bind{VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, nullptr, buffer, memory, 0};
    session.ring().send(BindBufferMemory2Args{session.device, 1, &bind, VK_SUCCESS});
    const VkFence fence = session.create_fence();
    session.fill(session.allocate_command_buffer(session.create_command_pool()), buffer, value, fence);
    session.ring().call(WaitForFencesArgs{session.device, 1, &fence, VK_TRUE, ~uint64_t{0}, VK_SUCCESS});
  }
};

TEST_F(MemoryImportTest, BothContextsSeeTheSameBytes) {
  Session one, other;
  BlobMemory blob = export_from(one, 50);
  const Blob mapped(50, blob.fd.duplicate(), kBytes);
  const VkDeviceMemory memory = import_from_other(other, std::move(blob));
  fill(other, memory, 0x12345678);
  EXPECT_EQ(mapped.word(0).load(), 0x12345678u);
  EXPECT_EQ(mapped.word(kBytes - 4).load(), 0x12345678u);
}

TEST_F(MemoryImportTest, AContextMayImportItsOwn) {
  Session session;
  const BlobMemory blob = export_from(session, 50);
  const Blob mapped(50, blob.fd.duplicate(), kBytes);
  const auto memory = session.new_object<VkDeviceMemory>();
  EXPECT_EQ(import(session, 50, kBytes, memory).args.ret, VK_SUCCESS);
  fill(session, memory, 0x55aa55aa);
  EXPECT_EQ(mapped.word(4096).load(), 0x55aa55aau);
}

TEST_F(MemoryImportTest, ImportedMemoryIsExportedAgain) {
  Session one, other;
  BlobMemory blob = export_from(one, 50);
  const Blob mapped(50, blob.fd.duplicate(), kBytes);
  const VkDeviceMemory memory = import_from_other(other, std::move(blob));
  auto again = other.context().create_blob(51, {.flags = kBlobMappable, .blob_id = std::bit_cast<uint64_t>(memory), .size = kBytes});
  ASSERT_TRUE(again);
  const Blob mapped_again(51, std::move(again->fd), kBytes);
  mapped.word(16).store(7);
  EXPECT_EQ(mapped_again.word(16).load(), 7u);
}

TEST_F(MemoryImportTest, OutlivesItsResourceAndTheOtherContext) {
  auto one = std::make_unique<Session>();
  Session other;
  BlobMemory blob = export_from(*one, 50);
  const VkDeviceMemory memory = import_from_other(other, std::move(blob));
  other.context().unref_resource(kForeign);
  one.reset();
  fill(other, memory, 1);
}

TEST_F(MemoryImportTest, PropertiesTellTypesAndSize) {
  Session one, other;
  BlobMemory blob = export_from(one, 50);
  ASSERT_TRUE(other.context().attach_resource(kForeign, std::move(blob.fd), kBytes));
  VkMemoryResourceAllocationSizePropertiesMESA size{VK_STRUCTURE_TYPE_MEMORY_RESOURCE_ALLOCATION_SIZE_PROPERTIES_MESA};
  VkMemoryResourcePropertiesMESA properties{VK_STRUCTURE_TYPE_MEMORY_RESOURCE_PROPERTIES_MESA, &size};
  const auto reply = other.ring().call(GetMemoryResourcePropertiesMESAArgs{other.device, kForeign, &properties, VK_SUCCESS});
  EXPECT_EQ(reply.args.ret, VK_SUCCESS);
  EXPECT_TRUE(reply.args.pMemoryResourceProperties->memoryTypeBits & 2);
  EXPECT_EQ(static_cast<const VkMemoryResourceAllocationSizePropertiesMESA*>(reply.args.pMemoryResourceProperties->pNext)->allocationSize,
            kBytes);
}

TEST_F(MemoryImportTest, RefusesMoreThanThereIs) {
  Session one, other;
  BlobMemory blob = export_from(one, 50);
  ASSERT_TRUE(other.context().attach_resource(kForeign, std::move(blob.fd), kBytes));
  EXPECT_EQ(import(other, kForeign, kBytes + 4096, other.new_object<VkDeviceMemory>()).args.ret,
            VK_ERROR_INVALID_EXTERNAL_HANDLE);
  // The refusal is a result, no breach.
  EXPECT_FALSE(other.context().poisoned());
}

TEST_F(MemoryImportTest, RefusesMemoryThatCouldBecomeShorter) {
  if (!platform::kMemoryIsSealed) GTEST_SKIP() << "memory cannot be sealed here";
  Session session;
  auto file = *platform::anonymous_file("unsealed");
  ASSERT_TRUE(session.context().attach_resource(kForeign, std::move(file), kBytes));
  EXPECT_EQ(import(session, kForeign, kBytes, session.new_object<VkDeviceMemory>()).args.ret,
            VK_ERROR_INVALID_EXTERNAL_HANDLE);
}

}  // namespace
}  // namespace pvgpu::venus::testing
