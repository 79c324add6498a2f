// Intervals.
#include "htsget/judge.h"

#include <algorithm>

namespace warifu::htsget {
namespace {

using genome::NamedRegion;

constexpr const char* kBeyond = "the request goes beyond what the person has consented to";

const genome::Reference* find_reference(const Consented& consented, const std::string& name) {
  const auto by = [&](const std::string& wanted) {
    return std::ranges::find(consented.references, wanted, &genome::Reference::name);
  };
  auto found = by(name);
  if (found == consented.references.end()) found = by(genome::other_name(name));
  return found == consented.references.end() ? nullptr : &*found;
}

// The place by the file's name of it, open ends closed.
NamedRegion region_of(const Place& place, const genome::Reference& reference) {
  const std::int64_t last = reference.length > 0 ? reference.length : INT64_MAX;
  NamedRegion region{reference.name, place.start.value_or(0), last};
  if (place.end) region.end = *place.end;
  region.end = std::max(region.start, region.end);
  return region;
}

bool is_within(const NamedRegion& asked, const Consented& consented) {
  return std::ranges::any_of(consented.regions, [&](const NamedRegion& allowed) {
    return allowed.reference == asked.reference && allowed.start <= asked.start &&
           asked.end <= allowed.end;
  });
}

void add_common(const NamedRegion& asked, const Consented& consented,
                std::vector<NamedRegion>& common) {
  for (const NamedRegion& allowed : consented.regions) {
    const std::int64_t start = std::max(asked.start, allowed.start);
    const std::int64_t end = std::min(asked.end, allowed.end);
    if (allowed.reference == asked.reference && start < end) {
      common.push_back({asked.reference, start, end});
    }
  }
}

}  // namespace

std::string_view mode_name(Mode mode) {
  return mode == Mode::kStrict ? "strict" : "clip";
}

void merge(std::vector<NamedRegion>& regions) {
  std::ranges::sort(regions, [](const NamedRegion& a, const NamedRegion& b) {
    return std::tie(a.reference, a.start, a.end) < std::tie(b.reference, b.start, b.end);
  });
  std::vector<NamedRegion> merged;
  for (NamedRegion& one : regions) {
    if (!merged.empty() && merged.back().reference == one.reference &&
        one.start <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, one.end);
    } else {
      merged.push_back(std::move(one));
    }
  }
  regions = std::move(merged);
}

Answer<Verdict> judge(const Request& request, const Consented& consented, Mode mode) {
  Verdict verdict;
  if (request.header_only) return verdict;
  if (request.places.empty()) {
    if (mode == Mode::kStrict) return refuse(Kind::kPermissionDenied, kBeyond);
    return Verdict{consented.regions, true};
  }
  for (const Place& place : request.places) {
    if (place.reference == "*") {  // reads without a position lie in no region
      if (mode == Mode::kStrict) return refuse(Kind::kPermissionDenied, kBeyond);
      verdict.clipped = true;
      continue;
    }
    const genome::Reference* reference = find_reference(consented, place.reference);
    if (reference == nullptr) return refuse(Kind::kNotFound, "there is no such reference");
    const NamedRegion asked = region_of(place, *reference);
    if (!is_within(asked, consented)) {
      if (mode == Mode::kStrict) return refuse(Kind::kPermissionDenied, kBeyond);
      verdict.clipped = true;
    }
    add_common(asked, consented, verdict.regions);
  }
  merge(verdict.regions);
  return verdict;
}

std::string regions_text(const std::vector<NamedRegion>& regions, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < regions.size() && i < most; ++i) {
    text += (i == 0 ? "" : ", ") + regions[i].reference + ":" +
            std::to_string(regions[i].start + 1) + "-" + std::to_string(regions[i].end);
  }
  if (regions.size() > most) text += " and " + std::to_string(regions.size() - most) + " more";
  return text.empty() ? "none" : text;
}

}  // namespace warifu::htsget
