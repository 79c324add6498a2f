// Regions: canonical form, text form, codec, and the rule of what covers what.
#include "consent/scope.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/reason.h"
#include "consent/grantee.h"

namespace warifu::consent {
namespace {

constexpr std::uint16_t kVeiled = 0xFFFF;  // in the place of a number of runs
static_assert(kMaxRegions < kVeiled);

// SAM v1, section 1.2.1: the characters of reference names.
bool is_reference(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&+./:;?@^_|~-*=";
  if (!is_plain(text, kReferenceBytes) || text[0] == '*' || text[0] == '=') return false;
  return std::ranges::all_of(text, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

bool is_assembly(std::string_view text) {
  return is_plain(text, kAssemblyBytes) && text.find(':') == std::string_view::npos;
}

std::string flaw_of(const Region& region) {
  if (!is_reference(region.reference)) {
    return "a region's reference must be a name of 1 to 32 characters as SAM allows them";
  }
  if (region.start < 1 || region.end < region.start || region.end > kLastPosition) {
    return "a region must be 1 <= start <= end <= 2147483647";
  }
  if (!region.label.empty() && !is_showable(region.label, kRegionLabelBytes)) {
    return "a region's label must be up to 48 bytes of visible text";
  }
  return {};
}

std::string joined_labels(const std::string& one, const std::string& other) {
  if (other.empty() || one == other) return one;
  return one.empty() ? other : one + ", " + other;
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// REFERENCE:START-END; a reference may hold colons itself.
std::optional<Region> parse_place(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view range = text.substr(colon + 1);
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto start = number_of(range.substr(0, dash));
  const auto end = number_of(range.substr(dash + 1));
  if (!start || !end) return std::nullopt;
  return Region{std::string(text.substr(0, colon)), *start, *end, {}};
}

// With [=LABEL]; the first '=' behind a range ends it.
std::optional<Region> parse_region(std::string_view text) {
  for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    auto region = parse_place(text.substr(0, at));
    if (!region) continue;
    region->label = text.substr(at + 1);
    return region;
  }
  return parse_place(text);
}

}  // namespace

std::vector<std::span<const Region>> runs_of(const std::vector<Region>& regions) {
  std::vector<std::span<const Region>> runs;
  const std::span all(regions);
  for (std::size_t begin = 0, i = 1; i <= regions.size(); ++i) {
    if (i < regions.size() && regions[i].reference == regions[begin].reference &&
        regions[i].label == regions[begin].label) {
      continue;
    }
    runs.push_back(all.subspan(begin, i - begin));
    begin = i;
  }
  return runs;
}

Result<Scope> make_scope(std::string assembly, std::vector<Region> regions) {
  if (!is_assembly(assembly)) {
    return fail(Code::kInvalidArgument,
                "a scope's assembly must be 1 to 32 printable characters without ':'",
                Reason::kAssembly);
  }
  for (const Region& region : regions) {
    if (const std::string flaw = flaw_of(region); !flaw.empty()) {
      return fail(Code::kInvalidArgument, flaw + " ('" + region.reference.substr(0, 40) + ":" +
                                              std::to_string(region.start) + "-" +
                                              std::to_string(region.end) + "')");
    }
  }
  std::ranges::stable_sort(
      regions, {}, [](const Region& region) { return std::tie(region.reference, region.start); });
  Scope scope{.assembly = std::move(assembly), .regions = {}};
  for (Region& region : regions) {
    Region* last = scope.regions.empty() ? nullptr : &scope.regions.back();
    if (last != nullptr && last->reference == region.reference && region.start <= last->end + 1) {
      last->end = std::max(last->end, region.end);
      last->label = joined_labels(last->label, region.label);
      continue;
    }
    scope.regions.push_back(std::move(region));
  }
  if (scope.regions.empty()) return fail(Code::kInvalidArgument, "a scope needs a region");
  if (const std::string flaw = flaw_of(scope); !flaw.empty()) {
    return fail(Code::kInvalidArgument, flaw);
  }
  return scope;
}

Result<Scope> parse_scope(std::span<const std::string> texts) {
  if (texts.empty()) return Scope{};
  std::string assembly;
  std::vector<Region> regions;
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(':');
    const auto region = colon == std::string::npos
                            ? std::nullopt
                            : parse_region(std::string_view(text).substr(colon + 1));
    if (!region) {
      return fail(Code::kInvalidArgument,
                  "region '" + text.substr(0, 80) +
                      "' must be ASSEMBLY:REFERENCE:START-END[=LABEL], like "
                      "GRCh38:chr17:43044295-43125364=BRCA1");
    }
    if (!assembly.empty() && text.substr(0, colon) != assembly) {
      return fail(Code::kInvalidArgument, "all regions of a consent must be of one assembly",
                  Reason::kAssembly);
    }
    assembly = text.substr(0, colon);
    regions.push_back(*region);
  }
  return make_scope(std::move(assembly), std::move(regions));
}

std::vector<std::string> region_texts(const Scope& scope) {
  std::vector<std::string> texts;
  for (const Region& region : scope.regions) {
    texts.push_back(scope.assembly + ":" + region.reference + ":" + std::to_string(region.start) +
                    "-" + std::to_string(region.end) +
                    (region.label.empty() ? "" : "=" + region.label));
  }
  return texts;
}

std::string scope_text(const Scope& scope) {
  if (scope.is_whole()) return "whole";
  const bool is_hidden = scope.veil && scope.regions.empty();
  std::string text = scope.is_index() ? "index" : is_hidden ? std::string(kHiddenRegions) : "";
  if (scope.regions.size() > kMostNamedRegions) {
    text = std::to_string(scope.regions.size()) + " regions of " + scope.assembly;
    std::string labels;
    for (const auto& run : runs_of(scope.regions)) labels = joined_labels(labels, run[0].label);
    if (labels.size() > kRegionLabelBytes) labels = labels.substr(0, kRegionLabelBytes) + "...";
    if (!labels.empty()) text += " (" + labels + ")";
  } else {
    for (const std::string& one : region_texts(scope)) text += (text.empty() ? "" : ", ") + one;
  }
  if (scope.chunks.size() > kMostNamedRegions) {
    text += " [" + std::to_string(chunk_count(scope.chunks)) + " chunks]";
  } else if (!scope.chunks.empty()) {
    text += " [chunks " + chunks_text(scope.chunks) + "]";
  }
  return text;
}

bool covers(const Scope& allowed, const Scope& asked) {
  if (allowed.is_whole()) return true;
  if (asked.veil) return asked.veil == allowed.veil;
  if (asked.is_whole() || allowed.is_index() != asked.is_index()) return false;
  if (asked.assembly != allowed.assembly) return false;
  // Allowed regions do not touch each other, so what is covered lies within one of them.
  return std::ranges::all_of(asked.regions, [&](const Region& region) {
    return std::ranges::any_of(allowed.regions, [&](const Region& within) {
      return within.reference == region.reference && within.start <= region.start &&
             region.end <= within.end;
    });
  });
}

bool covers_chunks(const Scope& allowed, const Scope& asked) {
  if (allowed.is_whole()) return true;
  return !asked.chunks.empty() && std::ranges::all_of(asked.chunks, [&](const ChunkRange& range) {
    return has_chunks(allowed.chunks, range.first, range.count);
  });
}

std::string flaw_of(const Scope& scope) {
  if (std::string flaw = flaw_of(scope.chunks); !flaw.empty()) return flaw;
  if (scope.veil && scope.chunks.empty()) return "hidden regions need the chunks that are read";
  if (scope.regions.empty()) return scope.assembly.empty() ? "" : "the scope names no region";
  if (!is_assembly(scope.assembly)) return "the scope's assembly must be named";
  if (scope.regions.size() > kMaxRegions) {
    return "the scope has more than " + std::to_string(kMaxRegions) + " regions";
  }
  for (std::size_t i = 0; i < scope.regions.size(); ++i) {
    const Region& region = scope.regions[i];
    if (std::string flaw = flaw_of(region); !flaw.empty()) return flaw;
    if (i == 0) continue;
    const Region& before = scope.regions[i - 1];
    const bool follows = before.reference < region.reference ||
                         (before.reference == region.reference && before.end + 1 < region.start);
    if (!follows) return "the scope's regions must be sorted and merged";
  }
  return {};
}

void write_scope(wire::Writer& writer, const Scope& scope) {
  if (scope.veil) {
    writer.u16(kVeiled);
    writer.raw(*scope.veil);
    return write_chunks(writer, scope.chunks);
  }
  const auto runs = runs_of(scope.regions);
  writer.u16(static_cast<std::uint16_t>(runs.size()));
  if (!runs.empty()) write_short(writer, scope.assembly);
  for (const auto& run : runs) {
    write_short(writer, run[0].reference);
    write_short(writer, run[0].label);
    writer.u16(static_cast<std::uint16_t>(run.size()));
    for (const Region& region : run) {
      writer.u32(region.start);
      writer.u32(region.end);
    }
  }
  write_chunks(writer, scope.chunks);
}

namespace {

Scope read_veiled(wire::Reader& reader) {
  Scope scope;
  const ByteView veil = reader.raw(crypto::Digest().size());
  scope.chunks = read_chunks(reader);
  if (!reader.good()) return {};
  copy_bytes(scope.veil.emplace(), veil);
  if (const std::string flaw = flaw_of(scope); !flaw.empty()) reader.reject(flaw);
  return scope;
}

}  // namespace

Scope read_scope(wire::Reader& reader) {
  Scope scope;
  const std::size_t runs = reader.u16();
  if (runs == kVeiled) return read_veiled(reader);
  if (runs > 0 && reader.good()) scope.assembly = read_short(reader, kAssemblyBytes);
  for (std::size_t i = 0; i < runs && reader.good(); ++i) {
    Region region;
    region.reference = read_short(reader, kReferenceBytes);
    region.label = read_short(reader, kRegionLabelBytes);
    const std::size_t places = reader.u16();
    if (places == 0) reader.reject("a run of the scope has no place");
    if (places > kMaxRegions - scope.regions.size()) {
      reader.reject("the scope has more than " + std::to_string(kMaxRegions) + " regions");
    }
    for (std::size_t j = 0; j < places && reader.good(); ++j) {
      region.start = reader.u32();
      region.end = reader.u32();
      scope.regions.push_back(region);
    }
  }
  scope.chunks = read_chunks(reader);
  if (!reader.good()) return {};
  if (runs_of(scope.regions).size() != runs) reader.reject("two runs of the scope are one");
  if (const std::string flaw = flaw_of(scope); !flaw.empty()) reader.reject(flaw);
  return scope;
}

}  // namespace warifu::consent
