// Who lied: one chunk is fetched over every way that can tell shares apart, a set that verifies is
// looked for, and every other record is tested by putting it into that set.
//
// A wrong set alone only shows that something is wrong; one more share tells which. The price is
// one chunk of key for each of at most kMaxSamples ways, and at most kMaxSearches + kMaxSamples
// joins of one record.
#include <fmt/format.h>

#include <algorithm>

#include "control/restore_stream.h"

namespace warifu::control {
namespace {
constexpr std::size_t kMaxSamples = 64;
constexpr std::size_t kMaxSearches = 512;
constexpr std::size_t kSwapsPerPart = 2;
}  // namespace

// The plan's own sources first. A gathering is sampled again with each of its parts swapped for
// parts that it did not use, so that one lying part stands out.
std::vector<planner::RestoreSource> RestoreStream::ways_to_sample(
    const planner::RestorePlan& plan) const {
  std::vector<planner::RestoreSource> ways = plan.sources;
  const planner::RestoreField known = field();
  for (const planner::RestoreSource& source : plan.sources) {
    if (!source.is_gathered()) continue;
    const std::vector<planner::ShareLocation> parts = source.shares();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      std::size_t swaps = 0;
      for (const planner::ShareLocation& spare : proven_) {
        const bool used =
            std::ranges::find(parts, spare.share, &planner::ShareLocation::share) != parts.end();
        if (!spare.path.same_cut(parts[i].path) || used) continue;
        if (trials_.out.contains(spare.letter()) || swaps == kSwapsPerPart) continue;
        std::vector<planner::ShareLocation> swapped = parts;
        swapped[i] = spare;
        if (auto way = planner::gather_source(known, source.path, swapped)) {
          ways.push_back(std::move(*way));
          ++swaps;
        }
      }
    }
  }
  // Without the wishes: a share that may not be used for the restore still helps to tell.
  for (planner::RestoreSource& source : planner::find_sources(known, {}, trials_))
    ways.push_back(std::move(source));
  std::set<std::vector<std::string>> seen;
  std::erase_if(
      ways, [&](const planner::RestoreSource& way) { return !seen.insert(way.letters()).second; });
  if (ways.size() > kMaxSamples) ways.resize(kMaxSamples);
  return ways;
}

std::vector<RestoreStream::Sample> RestoreStream::take_samples(const planner::RestorePlan& plan,
                                                               std::uint64_t chunk) {
  std::vector<Sample> samples;
  for (planner::RestoreSource& way : ways_to_sample(plan)) {
    auto opened = open_source(way, chunk, 1);
    if (!opened) continue;
    auto record = (*opened)->next();
    if (record) samples.push_back({std::move(way), std::move(*record)});
  }
  return samples;
}

bool RestoreStream::verifies(const std::vector<const Sample*>& set, std::uint64_t chunk) const {
  std::vector<sharing::ShareIndex> tops;
  std::vector<secret::Buffer> records;
  for (const Sample* sample : set) {
    tops.push_back(static_cast<sharing::ShareIndex>(sample->source.path.index()));
    records.push_back(secret::Buffer::copy_of(sample->record.bytes()));
  }
  return combine(tops, records, chunk).has_value();
}

// Threshold-many samples of different top shares that verify; empty when none were found. First the
// plan with one or none of its records swapped, then sets from the samples that it did not use.
std::vector<const RestoreStream::Sample*> RestoreStream::find_verifying(
    const std::vector<Sample>& samples, std::size_t planned, std::uint64_t chunk) const {
  const std::size_t threshold = policy_.scheme.threshold;
  std::vector<const Sample*> set;
  std::size_t trials = 0;
  const auto fits = [&](const Sample& sample) {
    return std::ranges::none_of(
        set, [&](const Sample* s) { return s->source.path == sample.source.path; });
  };
  for (std::size_t i = 0; planned == threshold && i < planned; ++i) {
    for (std::size_t j = planned; j < samples.size() && trials < kMaxSearches / 2; ++j) {
      set.clear();
      for (std::size_t p = 0; p < planned; ++p) {
        if (p != i) set.push_back(&samples[p]);
      }
      if (!fits(samples[j])) continue;
      set.push_back(&samples[j]);
      ++trials;
      if (verifies(set, chunk)) return set;
    }
  }
  set.clear();
  const auto extend = [&](auto&& self, std::size_t end) -> bool {
    if (set.size() == threshold) return ++trials <= kMaxSearches && verifies(set, chunk);
    for (std::size_t i = end; i > 0 && trials < kMaxSearches; --i) {
      if (!fits(samples[i - 1])) continue;
      set.push_back(&samples[i - 1]);
      if (self(self, i - 1)) return true;
      set.pop_back();
    }
    return false;
  };
  return extend(extend, samples.size()) ? set : std::vector<const Sample*>{};
}

RestoreStream::Verdict RestoreStream::judge(const std::vector<Sample>& samples,
                                            const std::vector<const Sample*>& verifying,
                                            std::uint64_t chunk) const {
  Verdict verdict;
  for (const Sample& sample : samples) {
    bool right = std::ranges::find(verifying, &sample) != verifying.end();
    if (!right) {
      std::vector<const Sample*> set = verifying;
      const auto same_top = std::ranges::find_if(
          set, [&](const Sample* s) { return s->source.path == sample.source.path; });
      *(same_top == set.end() ? set.begin() : same_top) = &sample;
      right = verifies(set, chunk);
    }
    if (right) {
      const auto letters = sample.source.letters();
      verdict.honest.insert(letters.begin(), letters.end());
    } else {
      verdict.wrong.insert(sample.source.way());
    }
  }
  return verdict;
}

Result<> RestoreStream::blame(const planner::RestorePlan& plan, std::uint64_t chunk) {
  const std::vector<Sample> samples = take_samples(plan, chunk);
  const auto planned =
      static_cast<std::size_t>(std::ranges::count_if(samples, [&](const Sample& sample) {
        return std::ranges::any_of(plan.sources, [&](const planner::RestoreSource& source) {
          return source.way() == sample.source.way();
        });
      }));
  const auto verifying = find_verifying(samples, planned, chunk);
  const std::string place = fmt::format("chunk {} does not match the tag on the card", chunk);
  if (verifying.empty()) {
    return fail(Code::kCorrupt, place + ", and no other set of shares verifies it");
  }
  const Verdict verdict = judge(samples, verifying, chunk);
  bool found = false;
  for (const planner::RestoreSource& side : plan.sources) {
    if (!verdict.wrong.contains(side.way())) continue;
    found = true;
    std::vector<std::string> suspects;
    for (const std::string& letter : side.letters()) {
      if (!verdict.honest.contains(letter)) suspects.push_back(letter);
    }
    if (suspects.size() != 1) {
      exclude(side, "", place, false);  // of several, nobody can be told apart
      continue;
    }
    exclude(side, suspects.front(), place, true);
    TRY(site_.log.append("share_blamed", {{"share", suspects.front()},
                                          {"site", holder_of(suspects.front()).text()},
                                          {"object", object_.object.text()}}));
  }
  if (found) return {};
  // Everybody was honest about this one chunk when asked again: the ways are left out.
  for (const planner::RestoreSource& side : plan.sources) {
    const bool own = side.at.site == site_.config.name && !side.is_gathered();
    if (!own) exclude(side, "", place, false);
  }
  return {};
}

}  // namespace warifu::control
