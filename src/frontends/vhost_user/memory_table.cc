#include "frontends/vhost_user/memory_table.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "platform/shared_memory.h"
#include "platform/system_call.h"

namespace pvgpu::frontends::vhost_user {

struct MemoryTable::Mapping {
  ~Mapping() {
    if (base) ::munmap(base, length);
  }
  void* base = nullptr;
  size_t length = 0;
  std::byte* data = nullptr;  // where the region begins; mappings begin with a page
  dev_t device = 0;
  ino_t inode = 0;
};

namespace {

bool same(const MemoryRegion& a, const MemoryRegion& b) {
  return a.guest_address == b.guest_address && a.size == b.size && a.user_address == b.user_address &&
         a.mmap_offset == b.mmap_offset;
}

std::unexpected<std::string> refused(const MemoryRegion& region, const std::string& why) {
  return std::unexpected(fmt::format("memory of {} bytes at {:#x}: {}", region.size, region.guest_address, why));
}

}  // namespace

std::expected<MemoryTable::Entry, std::string> MemoryTable::make(const MemoryRegion& region, platform::UniqueFd fd) const {
  if (region.size == 0 || region.size > UINT64_MAX - region.guest_address ||
      region.size > UINT64_MAX - region.user_address || region.size > PTRDIFF_MAX ||
      region.mmap_offset > static_cast<uint64_t>(PTRDIFF_MAX) - region.size)
    return refused(region, "no such range");
  if (is_window_(fd.get())) return Entry{region, nullptr};
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return refused(region, platform::error_text(errno));
  // Beyond the end of its file, memory is there to be looked up but not to be touched.
  if (S_ISREG(status.st_mode) && static_cast<uint64_t>(status.st_size) < region.mmap_offset + region.size)
    return refused(region, fmt::format("its file has {} bytes only", status.st_size));
  const uint64_t lead = region.mmap_offset % platform::page_size();
  auto mapping = std::make_shared<Mapping>();
  const size_t length = static_cast<size_t>(region.size + lead);
  void* base = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(),
                      static_cast<off_t>(region.mmap_offset - lead));
  if (base == MAP_FAILED) return refused(region, platform::error_text(errno));
  mapping->base = base;
  mapping->length = length;
  mapping->data = static_cast<std::byte*>(base) + lead;
  mapping->device = status.st_dev;
  mapping->inode = status.st_ino;
  return Entry{region, std::move(mapping)};
}

std::expected<void, std::string> MemoryTable::add(const MemoryRegion& region, platform::UniqueFd fd) {
  if (entries_.size() >= kMaxRegions) return refused(region, "too many regions");
  auto entry = make(region, std::move(fd));
  if (!entry) return std::unexpected(entry.error());
  entries_.push_back(std::move(*entry));
  return {};
}

void MemoryTable::remove(const MemoryRegion& region) {
  // The specification names a region by these three.
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.region.guest_address == region.guest_address && entry.region.size == region.size &&
           entry.region.user_address == region.user_address;
  });
}

std::expected<void, std::string> MemoryTable::replace(std::vector<Described> regions) {
  std::vector<Entry> entries;
  for (auto& [region, fd] : regions) {
    struct stat status{};
    const auto kept = std::ranges::find_if(entries_, [&, &described = region, descriptor = fd.get()](const Entry& entry) {
      return entry.mapping && same(entry.region, described) && ::fstat(descriptor, &status) == 0 &&
             entry.mapping->device == status.st_dev && entry.mapping->inode == status.st_ino;
    });
    if (kept != entries_.end()) {
      entries.push_back(*kept);
      continue;
    }
    auto entry = make(region, std::move(fd));
    if (!entry) return std::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  entries_ = std::move(entries);
  return {};
}

virtio_gpu::GuestBytes MemoryTable::part(const Entry& entry, uint64_t offset, uint64_t length) {
  if (!entry.mapping) return {};
  const uint64_t count = std::min(length, entry.region.size - offset);
  return {{entry.mapping->data + offset, static_cast<size_t>(count)}, entry.mapping};
}

virtio_gpu::GuestBytes MemoryTable::find(uint64_t address, uint64_t length) const {
  for (const Entry& entry : entries_)
    if (address >= entry.region.guest_address && address - entry.region.guest_address < entry.region.size)
      return part(entry, address - entry.region.guest_address, length);
  return {};
}

virtio_gpu::GuestBytes MemoryTable::find_user(uint64_t user_address, uint64_t length) const {
  for (const Entry& entry : entries_)
    if (user_address >= entry.region.user_address && user_address - entry.region.user_address < entry.region.size)
      return part(entry, user_address - entry.region.user_address, length);
  return {};
}

}  // namespace pvgpu::frontends::vhost_user
