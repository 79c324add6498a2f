// For the tests of upkeep only: objects of random records, cut as a policy says, and random
// policies.
#pragma once

#include <map>

#include "sharing/sharing_test_support.h"
#include "store/share_header.h"
#include "upkeep/upkeep_test_support.h"

namespace warifu::upkeep {

inline constexpr std::uint32_t kChunkBytes = 96;

// A share as its holder has it.
struct Held {
  store::ShareHeader header;
  std::vector<Bytes> records;
};

// An object of random records, cut as its policy says. Share "C2" is at site "c2"; a share that was
// cut again is known to its siblings at "gate".
class CutObject {
 public:
  CutObject(const std::string& policy, std::uint64_t length, std::mt19937_64& generator)
      : policy_(*planner::parse_policy(policy)), generator_(generator) {
    common_.object.bytes.fill(0x0b);
    common_.owner.bytes.fill(0x0c);
    common_.generation = 1;
    common_.chunk_bytes = kChunkBytes;
    common_.object_length = length;
    common_.chunk_count = store::chunk_count_of(length, kChunkBytes);
    common_.policy = policy_.text();
    const sharing::RecordLayout layout(sharing::Chunking{{length}, kChunkBytes});
    std::vector<Bytes> records;
    for (std::uint64_t i = 0; i < layout.count(); ++i) {
      records.push_back(sharing::random_bytes(generator_, layout.length({i})));
    }
    cut(policy_, layout, records, {});
  }

  [[nodiscard]] const planner::PolicyNode& policy() const { return policy_; }
  [[nodiscard]] const std::vector<planner::ShareLocation>& shares() const { return locations_; }
  // As they were before they were cut again.
  [[nodiscard]] const std::vector<planner::ShareLocation>& before_cuts() const {
    return before_cuts_;
  }
  [[nodiscard]] const Held& held(const std::string& letter) const { return held_.at(letter); }

 private:
  static std::string holder_of(std::string letter) {
    for (char& c : letter) c = static_cast<char>(std::tolower(c));
    return letter;
  }

  void cut(const planner::PolicyNode& node, const sharing::RecordLayout& layout,
           const std::vector<Bytes>& records, const sharing::SharePath& path) {
    const sharing::Scheme& scheme = node.scheme;
    std::vector<Held> made(scheme.shares);
    std::vector<sharing::ShareIndex> given = sharing::all_shares(scheme);
    std::ranges::shuffle(given, generator_);
    given.resize(scheme.privacy());
    for (Bytes padded : records) {
      padded.resize(scheme.padded(padded.size()));
      const auto shares = sharing::split_with(scheme, given, padded, generator_, 0);
      for (std::size_t i = 0; i < made.size(); ++i) made[i].records.push_back(shares[i]);
    }
    std::vector<store::Sibling> siblings;
    const auto location = [&](std::size_t i) {
      const std::string letter = path.part(i).text();
      return share_at(letter, node.children[i].is_leaf() ? holder_of(letter) : "gate");
    };
    for (std::size_t i = 0; i < made.size(); ++i) {
      siblings.push_back({static_cast<std::uint8_t>(i), location(i).share, location(i).site});
    }
    const sharing::RecordLayout below = layout.below(scheme);
    for (std::size_t i = 0; i < made.size(); ++i) {
      const planner::ShareLocation at = location(i);
      store::ShareHeader header = common_;
      header.share = at.share;
      header.scheme = scheme;
      header.path = path.part(i);
      header.siblings = siblings;
      header.full_record_bytes = below.full_bytes();
      header.last_record_bytes = below.last_bytes();
      if (!path.is_object()) header.parent.bytes.fill(0xfe);
      WARIFU_CHECK(store::check_header(header).has_value());
      made[i].header = header;
      if (!node.children[i].is_leaf()) {
        cut(node.children[i], below, made[i].records, path.part(i));
        before_cuts_.push_back(at);
      } else {
        locations_.push_back(at);
      }
      held_[at.letter()] = std::move(made[i]);
    }
  }

  planner::PolicyNode policy_;
  std::mt19937_64& generator_;
  store::ShareHeader common_;
  std::map<std::string, Held> held_;
  std::vector<planner::ShareLocation> locations_, before_cuts_;
};

// With cuts inside cuts, at most so many.
inline std::string random_cut(std::mt19937_64& generator, std::size_t nesting) {
  const bool ramp = generator() % 4 == 0;
  const std::size_t shares = ramp ? 4 : generator() % (nesting == 0 ? 5 : 3) + 2;
  const std::size_t threshold = ramp ? 3 : generator() % (shares - 1) + 2;
  std::string text = (ramp ? "ramp " : "") + std::to_string(threshold) + " of (";
  for (std::size_t i = 0; i < shares; ++i) {
    if (i > 0) text += ", ";
    const bool is_cut = nesting > 0 && generator() % 3 == 0;
    text += is_cut ? random_cut(generator, nesting - 1) + " via gate" : "site";
  }
  return text + ")";
}

}  // namespace warifu::upkeep
