#include "venus/codec/printer.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <iterator>
#include <type_traits>

#include "protocol/fields.h"
#include "protocol/tables.h"
#include "venus/codec/chain.h"
#include "venus/codec/raw_decoder.h"

namespace pvgpu::venus {
namespace {

constexpr uint64_t kMaxElements = 8;
constexpr size_t kMaxText = 64;
constexpr size_t kMaxLine = 4096;  // past it, only the brackets are closed

// The codec: one call a value, each preceded by name() if it has one.
class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  void name(const char* text) { name_ = text; }

  template <class T>
  void scalar(const T& value) {
    if (!begin()) return;
    if constexpr (std::is_enum_v<T>) {
      put(static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (sizeof(T) == 1) {
      put(static_cast<int>(value));
    } else {
      put(value);
    }
  }
  template <class T>
  void count(const T& value) {
    scalar(value);
  }
  template <class H>
  void handle(const H& value, uint32_t) {
    if (begin()) fmt::format_to(std::back_inserter(out_), "{:#x}", std::bit_cast<uint64_t>(value));
  }
  template <class T>
  void structure(T& value) {
    if constexpr (protocol::Meta<T>::kUnion) {
      tagged(value);
    } else {
      open('{');
      if constexpr (protocol::Meta<T>::kHasType) chain(value.pNext);
      protocol::members(*this, value);
      close('}');
    }
  }
  template <class T>
  void tagged(T& value) {
    selected(value, protocol::Meta<T>::kWriteTag);
  }
  template <class T>
  void selected(T& value, uint32_t tag) {
    open('{');
    protocol::members(*this, value, tag);
    close('}');
  }
  void bad_tag(uint32_t) {}

  template <class T>
  void pointer(T* value, uint32_t flags) {
    if (value) return element(*value, flags);
    null(value);
  }
  template <class T>
  void count_pointer(T* value, uint32_t flags) {
    pointer(value, flags);
  }
  template <class T>
  void array(T* values, uint64_t n, uint32_t flags) {
    list(values, n, [&](uint64_t i) { element(values[i], flags); });
  }
  void blob(const void* data, uint64_t n, uint32_t) {
    if (!data) return null(data);
    if (begin()) fmt::format_to(std::back_inserter(out_), "<{} bytes>", n);
  }
  void string(const char* text, uint32_t) {
    if (!text) return null(text);
    if (begin()) quote(text);
  }
  void string_array(const char* const* texts, uint64_t n, uint32_t) {
    list(texts, n, [&](uint64_t i) { string(texts[i], 0); });
  }
  template <class T, class RowLength>
  void rows(const T* const* values, uint64_t n, RowLength row_length, uint32_t flags) {
    list(values, n, [&](uint64_t i) { array(values[i], row_length(i), flags); });
  }
  template <class T, size_t N>
  void fixed(T (&values)[N]) {
    array(values, N, 0);
  }
  template <size_t N>
  void fixed_blob(const uint8_t (&values)[N]) {
    blob(values, N, 0);
  }
  template <size_t N>
  void fixed_string(const char (&text)[N]) {
    string(text, 0);
  }
  void null(const void*) {
    if (begin()) out_ += "NULL";
  }

  // Outputs: the ids of new objects, and else only that something is wanted.
  class Shape {
   public:
    explicit Shape(Printer& whole) : p_(whole) {}
    template <class T>
    void pointer(T* value, uint32_t) {
      if (!value) return p_.null(value);
      if constexpr (std::is_pointer_v<T>) return p_.handle(*value, 0);
      if (p_.begin()) p_.out_ += "out";
    }
    template <class T>
    void array(T* values, uint64_t n, uint32_t) {
      if constexpr (std::is_pointer_v<T>)
        return p_.list(values, n, [&](uint64_t i) { p_.handle(values[i], 0); });
      blob(values, n, 0);
    }
    void blob(const void* data, uint64_t n, uint32_t) {
      if (!data) return p_.null(data);
      if (p_.begin()) fmt::format_to(std::back_inserter(p_.out_), "out[{}]", n);
    }

   private:
    Printer& p_;
  };
  Shape shape() { return Shape(*this); }

 private:
  // Separator and name of the next value; false: the line is full.
  bool begin() {
    if (out_.size() > kMaxLine) {
      if (!full_) out_ += ", ...";
      full_ = true;
      name_ = nullptr;
      return false;
    }
    if (!first_) out_ += ", ";
    first_ = false;
    if (name_) fmt::format_to(std::back_inserter(out_), "{}=", name_);
    name_ = nullptr;
    return true;
  }
  void open(char bracket) {
    begin();
    out_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    out_ += bracket;
    first_ = false;
  }
  template <class T>
  void put(const T& value) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
  }
  void quote(const char* text) {
    out_ += '"';
    size_t n = 0;
    for (; text[n] && n < kMaxText; ++n) {
      const auto c = static_cast<unsigned char>(text[n]);
      if (c == '"' || c == '\\' || c < 0x20 || c >= 0x7f) {
        fmt::format_to(std::back_inserter(out_), "\\x{:02x}", c);
      } else {
        out_ += text[n];
      }
    }
    out_ += text[n] ? "...\"" : "\"";
  }
  template <class Print>
  void list(const void* data, uint64_t n, Print print) {
    if (!data) return null(data);
    open('[');
    for (uint64_t i = 0; i < std::min(n, kMaxElements); ++i) print(i);
    if (n > kMaxElements) fmt::format_to(std::back_inserter(out_), ", ... {} in all", n);
    close(']');
  }
  template <class T>
  void element(T& value, uint32_t flags) {
    using U = std::remove_const_t<T>;
    if constexpr (std::is_pointer_v<U>) {
      handle(value, flags);
    } else if constexpr (std::is_class_v<U> || std::is_union_v<U>) {
      structure(const_cast<U&>(value));
    } else {
      scalar(value);
    }
  }
  void chain(const void* next);

  std::string& out_;
  const char* name_ = nullptr;
  bool first_ = true;
  bool full_ = false;
};

// `pNext=[VkFoo{...}, VkBar{...}]`; nothing for an empty chain.
void Printer::chain(const void* next) {
  if (!next) return;
  name("pNext");
  open('[');
  for (auto* link = static_cast<const VkBaseInStructure*>(next); link; link = link->pNext) {
    const uint32_t index = protocol::find_chain_struct(link->sType);
    if (index == protocol::kNoChain) continue;
    if (begin()) out_ += protocol::kChainStructs[index].name;
    first_ = true;
    out_ += '{';
    ChainBodies<Printer>::kTable[index](*this, const_cast<VkBaseInStructure*>(link));
    close('}');
  }
  close(']');
}

// Decodes and prints the arguments; false: they cannot be decoded.
using PrintArguments = bool (*)(RawDecoder& decoder, Printer& printer);

template <class Args>
bool print_arguments(RawDecoder& decoder, Printer& printer) {
  Args args;
  protocol::request(decoder, args);
  if (decoder.failed()) return false;
  protocol::request(printer, args);
  return true;
}

template <class... Args>
constexpr auto make_table(protocol::TypeList<Args...>) {
  std::array<PrintArguments, protocol::kCommandLimit> table{};
  ((table[Args::kCommand] = &print_arguments<Args>), ...);
  return table;
}
constexpr auto kPrintArguments = make_table(protocol::CommandTypes{});

}  // namespace

PrintedCommand print_command(std::span<const std::byte> bytes) {
  wire::Reader reader(bytes);
  const uint32_t number = reader.u32();
  const uint32_t flags = reader.u32();
  if (reader.failed())
    return {fmt::format("{} bytes, which is less than a command's header", bytes.size())};
  const char* name = protocol::command_name(number);
  if (!name || !kPrintArguments[number])
    return {fmt::format("{} ({}), which is not decoded", name ? name : "a command", number)};
  PrintedCommand printed{std::string(name) + '('};
  wire::Arena arena;
  RawHandles handles;
  RawDecoder decoder(reader, arena, handles);
  Printer printer(printed.text);
  if (!kPrintArguments[number](decoder, printer))
    return {fmt::format("{}, which is damaged: {} ({})", name, poison_name(decoder.error().reason),
                        decoder.error().value)};
  printed.text += flags & 1 ? ") with reply" : ")";
  printed.size = bytes.size() - reader.remaining();
  return printed;
}

std::string print_stream(std::span<const std::byte> bytes) {
  std::string lines;
  while (!bytes.empty()) {
    const PrintedCommand printed = print_command(bytes);
    lines += printed.text + '\n';
    if (printed.size == 0) break;
    bytes = bytes.subspan(printed.size);
  }
  return lines;
}

}  // namespace pvgpu::venus
