#include "parity/venus_queries.h"

#include <sys/mman.h>

#include <bit>
#include <cstring>
#include <list>
#include <memory>
#include <span>

#include "describe/describe.h"
#include "venus/codec/encoder.h"
#include "venus/codec/raw_decoder.h"
#include "venus/context.h"
#include "wire/arena.h"
#include "wire/writer.h"

namespace pvgpu::parity {
namespace {

constexpr uint32_t kMost = VK_API_VERSION_1_4;
constexpr size_t kReplyBytes = 1 << 20;
constexpr uint32_t kReplyResource = 1;
constexpr uint32_t kWantReply = 1;

// Shared memory of the context's making, mapped as a guest does.
class ReplyMemory {
 public:
  explicit ReplyMemory(const platform::UniqueFd& fd)
      : data_(::mmap(nullptr, kReplyBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0)) {}
  ~ReplyMemory() {
    if (valid()) ::munmap(data_, kReplyBytes);
  }
  ReplyMemory(const ReplyMemory&) = delete;
  ReplyMemory& operator=(const ReplyMemory&) = delete;

  bool valid() const { return data_ != MAP_FAILED; }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), kReplyBytes}; }

 private:
  void* data_;
};

// The guest's side of a context, without a ring: commands on the context stream, and their replies.
class Client {
 public:
  static Result<std::unique_ptr<Client>> create(host::Host& host) {
    auto client = std::unique_ptr<Client>(new Client);
    client->context_ = venus::Context::create(host, {.name = "pvgpu info"});
    auto memory = client->context_->create_blob(kReplyResource, {.flags = venus::kBlobMappable, .size = kReplyBytes});
    if (!memory) return fail("no memory for replies: " + memory.error().detail);
    client->replies_ = std::make_unique<ReplyMemory>(memory->fd);
    if (!client->replies_->valid()) return fail("the memory for replies cannot be mapped");
    return client;
  }

  // Makes the call; `args` are then the reply's, and point into memory that lives as long as the client. False: the
  // context is poisoned, which error() then tells.
  template <class Args>
  bool call(Args& args) {
    const VkCommandStreamDescriptionMESA slot{kReplyResource, 0, kReplyBytes};
    protocol::SetReplyCommandStreamMESAArgs set{&slot};
    if (!submit(set, 0) || !submit(args, kWantReply)) return false;
    // How long a reply is shows when it is read: once to see, and once to keep.
    wire::Arena passing;
    Args first = args;
    const size_t length = read_reply(replies_->bytes(), passing, first);
    if (length == 0) return refuse(std::string("the reply to ") + Args::kName + " cannot be read");
    const auto whole = replies_->bytes().first(length);
    read_reply(kept_.emplace_back(whole.begin(), whole.end()), arena_, args);
    return true;
  }
  const std::string& error() const { return error_; }

 private:
  Client() = default;

  // The reply's bytes; 0 if it cannot be read.
  template <class Args>
  static size_t read_reply(std::span<const std::byte> bytes, wire::Arena& arena, Args& args) {
    wire::Reader reader(bytes);
    venus::RawHandles handles;
    venus::RawDecoder decoder(reader, arena, handles);
    if (reader.u32() != Args::kCommand) return 0;
    protocol::reply(decoder, args);
    return decoder.failed() ? 0 : bytes.size() - reader.remaining();
  }
  template <class Args>
  bool submit(Args& args, uint32_t flags) {
    std::vector<std::byte> bytes(256 << 10);
    wire::Writer writer(bytes);
    venus::Encoder encoder(writer);
    writer.u32(Args::kCommand);
    writer.u32(flags);
    protocol::request(encoder, args);
    if (writer.overflowed()) return refuse(std::string(Args::kName) + " is too long");
    const auto submitted = context_->submit(std::span(bytes).first(writer.written()));
    return submitted ? true : refuse(submitted.error().detail);
  }
  bool refuse(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }

  std::unique_ptr<venus::Context> context_;
  std::unique_ptr<ReplyMemory> replies_;
  std::list<std::vector<std::byte>> kept_;  // decoded arrays point into them
  wire::Arena arena_;
  std::string error_;
};

// Copies what a reply's chain says into the structures that were asked, which are another chain.
void copy_chain(void* to, const void* from) {
  for (auto* answer = static_cast<const VkBaseInStructure*>(from); answer; answer = answer->pNext) {
    const uint32_t index = protocol::find_chain_struct(answer->sType);
    for (auto* asked = static_cast<VkBaseOutStructure*>(to); asked && index != protocol::kNoChain; asked = asked->pNext) {
      if (asked->sType != answer->sType) continue;
      constexpr size_t kHeader = sizeof(VkBaseOutStructure);
      std::memcpy(reinterpret_cast<std::byte*>(asked) + kHeader, reinterpret_cast<const std::byte*>(answer) + kHeader,
                  protocol::kChainStructs[index].size - kHeader);
    }
  }
}

class VenusQueries : public describe::Queries {
 public:
  VenusQueries(Client& client, VkPhysicalDevice device) : client_(client), device_(device) {}

  bool answers(VkStructureType type) const override { return protocol::find_chain_struct(type) != protocol::kNoChain; }
  std::vector<VkExtensionProperties> extensions() override {
    uint32_t count = 0;
    protocol::EnumerateDeviceExtensionPropertiesArgs args{device_, nullptr, &count, nullptr, VK_SUCCESS};
    if (!client_.call(args)) return {};
    std::vector<VkExtensionProperties> found(*args.pPropertyCount);
    args = {device_, nullptr, args.pPropertyCount, found.data(), VK_SUCCESS};
    if (!client_.call(args)) return {};
    return {args.pProperties, args.pProperties + *args.pPropertyCount};
  }
  void properties(VkPhysicalDeviceProperties2& properties) override {
    protocol::GetPhysicalDeviceProperties2Args args{device_, &properties};
    if (!client_.call(args)) return;
    properties.properties = args.pProperties->properties;
    copy_chain(properties.pNext, args.pProperties->pNext);
  }
  void features(VkPhysicalDeviceFeatures2& features) override {
    protocol::GetPhysicalDeviceFeatures2Args args{device_, &features};
    if (!client_.call(args)) return;
    features.features = args.pFeatures->features;
    copy_chain(features.pNext, args.pFeatures->pNext);
  }
  void format(VkFormat format, VkFormatProperties2& properties) override {
    protocol::GetPhysicalDeviceFormatProperties2Args args{device_, format, &properties};
    if (!client_.call(args)) return;
    properties.formatProperties = args.pFormatProperties->formatProperties;
    copy_chain(properties.pNext, args.pFormatProperties->pNext);
  }
  void queue_families(uint32_t& count, VkQueueFamilyProperties2* families) override {
    protocol::GetPhysicalDeviceQueueFamilyProperties2Args args{device_, &count, families};
    if (!client_.call(args)) return;
    count = *args.pQueueFamilyPropertyCount;
    for (uint32_t i = 0; families && i < count; ++i) {
      families[i].queueFamilyProperties = args.pQueueFamilyProperties[i].queueFamilyProperties;
      copy_chain(families[i].pNext, args.pQueueFamilyProperties[i].pNext);
    }
  }
  void memory(VkPhysicalDeviceMemoryProperties2& memory) override {
    protocol::GetPhysicalDeviceMemoryProperties2Args args{device_, &memory};
    if (!client_.call(args)) return;
    memory.memoryProperties = args.pMemoryProperties->memoryProperties;
    copy_chain(memory.pNext, args.pMemoryProperties->pNext);
  }

 private:
  Client& client_;
  VkPhysicalDevice device_;
};

template <class H>
H object(uint64_t id) {
  return std::bit_cast<H>(id);
}

// The ids of the devices; empty if the context is poisoned.
std::vector<VkPhysicalDevice> enumerate(Client& client) {
  VkApplicationInfo application{VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.apiVersion = kMost;
  VkInstanceCreateInfo info{VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  auto instance = object<VkInstance>(1);
  protocol::CreateInstanceArgs create{&info, nullptr, &instance, VK_SUCCESS};
  if (!client.call(create) || create.ret != VK_SUCCESS) return {};
  uint32_t count = 0;
  protocol::EnumeratePhysicalDevicesArgs args{instance, &count, nullptr, VK_SUCCESS};
  if (!client.call(args)) return {};
  count = *args.pPhysicalDeviceCount;
  std::vector<VkPhysicalDevice> devices;
  for (uint32_t i = 0; i < count; ++i) devices.push_back(object<VkPhysicalDevice>(2 + i));
  args = {instance, &count, devices.data(), VK_SUCCESS};
  if (!client.call(args)) return {};
  return devices;
}

}  // namespace

Result<std::vector<describe::Device>> describe_offer(host::Host& host) {
  auto client = Client::create(host);
  if (!client) return std::unexpected(client.error());
  std::vector<describe::Device> devices;
  for (VkPhysicalDevice device : enumerate(**client)) {
    VenusQueries queries(**client, device);
    devices.push_back(describe::describe(queries, kMost));
  }
  if (!(*client)->error().empty()) return fail("pvgpu's own decoder refused a question: " + (*client)->error());
  if (devices.empty()) return fail("no device of the host can be asked through the protocol");
  return devices;
}

}  // namespace pvgpu::parity
