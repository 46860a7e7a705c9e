#include "describe/fact.h"

#include <algorithm>
#include <array>

namespace pvgpu::describe {
namespace {

// The number changes with the form, so that programs of two builds notice.
constexpr std::string_view kFirstLine = "pvgpu-describe 1";
constexpr std::string_view kDeviceLine = "device";
constexpr std::string_view kLastLine = "end";

// Names and values are a driver's bytes: what would break a line is written as \t, \n and \\.
void append_escaped(std::string& text, std::string_view value) {
  for (char c : value) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
}

std::string unescaped(std::string_view text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i];
      continue;
    }
    ++i;
    value += text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i];
  }
  return value;
}

void append_fact(std::string& text, const Fact& fact) {
  text += kind_name(fact.kind);
  for (const std::string* field : {&fact.subject, &fact.structure, &fact.member, &fact.value}) {
    text += '\t';
    append_escaped(text, *field);
  }
  text += '\n';
}

// What comes before the next `separator`, which is taken off `rest` with it.
std::string_view cut(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool read_fact(std::string_view line, Fact& fact) {
  const std::string_view kind = cut(line, '\t');
  const auto* found = std::ranges::find(kKinds, kind, kind_name);
  if (found == std::end(kKinds) || std::ranges::count(line, '\t') != 3) return false;
  fact.kind = *found;
  for (std::string* field : {&fact.subject, &fact.structure, &fact.member, &fact.value}) *field = unescaped(cut(line, '\t'));
  return true;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kInstanceExtension:
      return "instance extension";
    case Kind::kExtension:
      return "extension";
    case Kind::kFeature:
      return "feature";
    case Kind::kProperty:
      return "property";
    case Kind::kFormat:
      return "format";
    case Kind::kQueueFamily:
      return "queue family";
    case Kind::kMemory:
      return "memory";
  }
  return "";
}

std::string Fact::name() const {
  std::string text = subject;
  if (!structure.empty()) text += (text.empty() ? "" : " ") + structure;
  if (!member.empty()) text += "." + member;
  return text;
}

const Fact* Device::find(Kind kind, std::string_view structure, std::string_view member) const {
  auto it = std::ranges::find_if(facts, [&](const Fact& fact) {
    return fact.kind == kind && fact.structure == structure && fact.member == member;
  });
  return it == facts.end() ? nullptr : &*it;
}

std::string_view Device::value(Kind kind, std::string_view structure, std::string_view member) const {
  const Fact* fact = find(kind, structure, member);
  return fact ? std::string_view(fact->value) : std::string_view();
}

std::string to_text(const Description& description) {
  std::string text(kFirstLine);
  text += '\n';
  for (const Fact& fact : description.instance) append_fact(text, fact);
  for (const Device& device : description.devices) {
    text += kDeviceLine;
    text += '\n';
    for (const Fact& fact : device.facts) append_fact(text, fact);
  }
  text += kLastLine;
  text += '\n';
  return text;
}

std::expected<Description, std::string> from_text(std::string_view text) {
  if (cut(text, '\n') != kFirstLine) return std::unexpected("it is not of this build's pvgpu-describe");
  Description description;
  while (!text.empty()) {
    const std::string_view line = cut(text, '\n');
    if (line == kLastLine) return description;
    if (line == kDeviceLine) {
      description.devices.emplace_back();
      continue;
    }
    Fact fact;
    if (!read_fact(line, fact)) return std::unexpected("it has the line \"" + std::string(line) + "\"");
    (description.devices.empty() ? description.instance : description.devices.back().facts).push_back(std::move(fact));
  }
  return std::unexpected("it ends before its end");
}

}  // namespace pvgpu::describe
