// The search behind plan_placement: depth first over sites, cheapest first, with a lower bound.
//
// Children with the same label are interchangeable: their sites are taken in one order only, so n
// equal labels cost one search and not n! of them. Used by placement.cc alone.
#pragma once

#include "control/exposure.h"

namespace warifu::control {

class PlacementSearch {
 public:
  PlacementSearch(const PolicyNode& policy, const Snapshot& snapshot,
                  const sharing::RecordLayout& records);

  // The cheapest legal assignment that was found, in the order of the policy's children.
  [[nodiscard]] std::optional<std::pair<std::vector<ShareTarget>, double>> run();
  // The first things that excluded a site, for people.
  [[nodiscard]] std::string exclusions() const;
  // True when the search ended at its limit of steps: a better plan may exist.
  [[nodiscard]] bool exhausted() const { return steps_ >= kMaxPlacementSteps; }

 private:
  static constexpr std::size_t kTop = SIZE_MAX;

  // Interchangeable leaves of one cut, or one nested cut with the site that makes it.
  struct Group {
    std::string label;
    std::vector<std::size_t> children;
    std::size_t owner = kTop;  // the top child whose part these are
    bool cuts = false;         // the groups behind this one belong to it
  };
  struct Candidate {
    const SiteEntry* site = nullptr;
    Route route;
    double price = 0;
  };
  // What one site has been given so far; bits are children.
  struct View {
    std::uint32_t shares = 0;
    std::map<std::size_t, std::uint32_t> parts;
    bool holds = false;
  };

  void add_groups(const PolicyNode& cut, std::size_t owner);
  void place(std::size_t group, std::size_t member, std::size_t first, double price);
  // Puts the candidate into the views; false, and nothing changed, when that breaks the rule.
  bool apply(const Group& group, std::size_t child, const Candidate& candidate,
             std::map<SiteName, View>& undo);
  bool touch(View& view, const SiteName& site, const Group& group, std::size_t child);
  const std::vector<Candidate>& candidates(const SiteName& source, const Group& group);
  // The least that the groups from `group` on can cost.
  double bound(std::size_t group);
  double cheapest(const SiteName& source, const Group& group);
  // A nested cut of unknown place: the way to its site, and from there to the parts.
  double cheapest_cut(std::size_t group);
  [[nodiscard]] std::size_t behind_cut(std::size_t group) const;
  ShareTarget& target_of(const Group& group, std::size_t child);
  void keep_if_better(double price);
  void exclude(const std::string& why);

  const PolicyNode& policy_;
  const Snapshot& snapshot_;
  std::uint64_t top_bytes_;
  std::map<std::size_t, std::uint64_t> part_bytes_;  // by top child
  std::vector<Group> groups_;
  std::map<std::tuple<SiteName, std::string, std::uint64_t>, std::vector<Candidate>> candidates_;
  std::map<std::size_t, double> cut_bounds_;
  std::map<SiteName, View> views_;
  std::vector<ShareTarget> chosen_;
  std::optional<std::pair<std::vector<ShareTarget>, double>> best_;
  std::vector<std::string> exclusions_;
  std::size_t steps_ = 0;
};

}  // namespace warifu::control
