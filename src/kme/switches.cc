// The record of switches as one small file that is replaced whole.
#include "kme/switches.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::string_view kSwitchMagic = "WRFSWIT1";
constexpr std::uint64_t kMostBytes = 1 << 20;
constexpr std::size_t kMostEntries = 4096;
constexpr std::size_t kMostName = 128;

struct ValueName {
  SwitchKind kind;
  std::string_view text;
  std::optional<SwitchValue> value;
};

constexpr ValueName kValues[] = {
    {SwitchKind::kSae, "on", std::nullopt},
    {SwitchKind::kSae, "off", SwitchValue::kOff},
    {SwitchKind::kApplications, "on", std::nullopt},
    {SwitchKind::kApplications, "off", SwitchValue::kOff},
    {SwitchKind::kTransport, "on", std::nullopt},
    {SwitchKind::kTransport, "off", SwitchValue::kOff},
    {SwitchKind::kSharing, "key", SwitchValue::kKey},
    {SwitchKind::kSharing, "random", SwitchValue::kRandom},
    {SwitchKind::kSharing, "default", std::nullopt},
    {SwitchKind::kRandom, "pool", SwitchValue::kFromPool},
    {SwitchKind::kRandom, "pool-or-kernel", SwitchValue::kFromPoolOrKernel},
    {SwitchKind::kRandom, "kernel", SwitchValue::kFromKernel},
    {SwitchKind::kRandom, "default", std::nullopt},
};

bool may_be(SwitchKind kind, SwitchValue value) {
  return std::ranges::any_of(
      kValues, [&](const ValueName& known) { return known.kind == kind && known.value == value; });
}

}  // namespace

std::string_view switch_value_name(SwitchValue value) {
  for (const ValueName& known : kValues) {
    if (known.value == value) return known.text;
  }
  return "unknown";
}

Result<std::optional<SwitchValue>> parse_switch_value(SwitchKind kind, std::string_view text) {
  std::string possible;
  for (const ValueName& known : kValues) {
    if (known.kind != kind) continue;
    if (known.text == text) return known.value;
    possible += (possible.empty() ? "\"" : ", \"") + std::string(known.text) + "\"";
  }
  return fail(Code::kInvalidArgument, "'" + std::string(text) + "' must be one of " + possible);
}

Bytes Switches::encode(const Entries& entries) {
  wire::Writer writer;
  writer.raw(as_bytes(kSwitchMagic));
  writer.u16(static_cast<std::uint16_t>(entries.size()));
  for (const auto& [key, entry] : entries) {
    writer.u8(static_cast<std::uint8_t>(key.first));
    writer.u8(static_cast<std::uint8_t>(entry.value));
    writer.i64(entry.since.value);
    writer.text(key.second);
  }
  writer.checksum();
  return writer.take();
}

Result<Switches::Entries> Switches::decode(ByteView bytes) const {
  const auto damaged = [&] {
    return fail(Code::kCorrupt, "the record of switches '" + file_ + "' is damaged");
  };
  const auto body = wire::before_checksum(bytes);
  if (!body) return damaged();
  wire::Reader reader(*body, "record of switches");
  if (as_text(reader.raw(kSwitchMagic.size())) != kSwitchMagic) return damaged();
  Entries entries;
  const std::uint16_t count = reader.u16();
  for (std::uint16_t i = 0; i < count && reader.good(); ++i) {
    const auto kind = static_cast<SwitchKind>(reader.u8());
    const auto value = static_cast<SwitchValue>(reader.u8());
    const os::UnixMs since{reader.i64()};
    std::string name = reader.text(kMostName);
    if (!may_be(kind, value) || name.empty()) return damaged();
    entries.insert_or_assign({kind, std::move(name)}, Entry{value, since});
  }
  if (!reader.finish()) return damaged();
  return entries;
}

Result<std::unique_ptr<Switches>> Switches::open(os::System system, std::string file,
                                                 const std::string& pauses) {
  std::unique_ptr<Switches> switches(new Switches(system, std::move(file)));
  if (system.files.exists(switches->file_)) {
    TRY_ASSIGN(const Bytes bytes, os::read_file(system.files, switches->file_, kMostBytes));
    TRY_ASSIGN(switches->entries_, switches->decode(bytes));
  } else if (system.files.exists(pauses)) {
    TRY(switches->take_over(pauses));
  }
  return switches;
}

// Text, a line each: "sae ID" or "link SITE".
Result<> Switches::take_over(const std::string& pauses) {
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, pauses, kMostBytes));
  std::string_view rest = as_text(bytes);
  const os::UnixMs now = system_.clock.now();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const bool sae = line.starts_with("sae ");
    const bool link = line.starts_with("link ") && SiteName::parse(line.substr(5)).has_value();
    const std::string name(line.substr(line.find(' ') + 1));
    if (end == std::string_view::npos || sae == link || name.empty() || name.size() > kMostName) {
      return fail(Code::kCorrupt, "'" + pauses + "' must have lines of 'sae ID' and 'link SITE'");
    }
    entries_[{sae ? SwitchKind::kSae : SwitchKind::kApplications, name}] = {SwitchValue::kOff, now};
    rest.remove_prefix(end + 1);
  }
  // The new record first: after a crash in between it is the one that counts.
  TRY(os::replace_file(system_.files, file_, encode(entries_)));
  return system_.files.remove(pauses);
}

Result<> Switches::set(SwitchKind kind, const std::string& name, std::optional<SwitchValue> value) {
  WARIFU_CHECK(!value || may_be(kind, *value));
  if (name.empty() || name.size() > kMostName) {
    return fail(Code::kInvalidArgument, "the name of what is switched must have 1 to " +
                                            std::to_string(kMostName) + " characters");
  }
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({kind, name});
  const bool as_before = found == entries_.end() ? !value : value == found->second.value;
  if (as_before) return {};
  Entries next = entries_;
  if (value) {
    next.insert_or_assign({kind, name}, Entry{*value, system_.clock.now()});
  } else {
    next.erase({kind, name});
  }
  if (next.size() > kMostEntries) {
    return fail(Code::kInvalidArgument, "'" + file_ + "' holds too many switches");
  }
  TRY(os::replace_file(system_.files, file_, encode(next)));
  entries_ = std::move(next);
  return {};
}

std::optional<Switch> Switches::find(SwitchKind kind, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find({kind, name});
  if (found == entries_.end()) return std::nullopt;
  return Switch{kind, name, found->second.value, found->second.since};
}

std::vector<Switch> Switches::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Switch> all;
  for (const auto& [key, entry] : entries_) {
    all.push_back({key.first, key.second, entry.value, entry.since});
  }
  return all;
}

}  // namespace warifu::kme
