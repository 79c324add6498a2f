// The search behind plan_placement: depth first over sites, cheapest first, with a lower bound.
//
// The bound is what all shares of a cut that are still to be placed cost together by ways that keep
// apart (disjoint_ways.h). Where nothing but the routes stands in the way that is the answer, and
// it is tried first; failure domains, weights and what later cuts need are left to the search. A
// failure domain that would hold too much closes its sites to a share; as it never opens again with
// more shares, nothing legal is missed by that. Every share takes the cheapest way that no site
// forbids which has seen too much already; because that way may stand in the way of a later share,
// ways around its inner sites are tried as well. Children with the same label are interchangeable:
// their sites are taken in one order only, so n equal labels cost one search and not n! of them.
//
// The same search places the parts of one share that stands whole in an object that is stored
// (StandingCut): that share's cut is the top one then, its holder the source, and what sites have
// seen and hold is there from the beginning. What of the object outside that cut a site has seen
// does not change with any part of it, so who may see none is closed from the beginning. Where
// parts were seen before, children with the same label are not interchangeable.
// Used by placement.cc alone.
#pragma once

#include "planner/disjoint_ways.h"
#include "planner/exposure.h"

namespace warifu::planner {

class PlacementSearch {
 public:
  // `records` are the object's. With `standing`, which must outlive it, only the parts of that
  // share are placed.
  PlacementSearch(const PolicyNode& policy, const Snapshot& snapshot,
                  const sharing::RecordLayout& records, const StandingCut* standing = nullptr);

  // The cheapest legal assignment that was found, in the order of the policy's children; with
  // `other_than`, the cheapest whose shares rest at other sites than those.
  using Found = std::pair<std::vector<ShareTarget>, double>;
  [[nodiscard]] std::optional<Found> run(const std::vector<ShareTarget>* other_than = nullptr);
  // The first things that excluded a site, for people.
  [[nodiscard]] std::string exclusions() const;
  // True when the search ended at its limit of steps: a better plan may exist.
  [[nodiscard]] bool exhausted() const {
    return steps_ >= (best_ ? kMaxPlacementSteps : kMaxStepsToFirstPlan);
  }

 private:
  using Node = KeyGraph::Node;
  static constexpr double kHopeless = KeyGraph::kUnreachable;  // the price of what cannot be

  // Interchangeable leaves of one cut, or one nested cut with the site that makes it.
  struct Group {
    std::string label;
    std::vector<std::size_t> children;  // of the cut
    std::size_t cut = 0;                // whose shares these are: its number
    bool cuts = false;                  // the groups behind this one, up to `behind`, belong to it
    std::size_t behind = 0;
    std::uint64_t bytes = 0;  // of each share
  };
  struct Cut {
    const PolicyNode* node = nullptr;
    std::size_t number = 0;  // in the order of the text, among the cuts
    // From the object's cut down to this one, itself not included: each with the child that leads
    // here.
    std::vector<std::pair<const Cut*, std::size_t>> line = {};
  };
  // A site that carries a label, with the least that the way there can cost.
  struct Candidate {
    Node site = KeyGraph::kNone;
    double price = 0;
  };
  struct Choices {
    KeyGraph::Tree tree;  // when nothing is forbidden
    std::vector<Candidate> sites;
  };
  struct Choice {
    Node site = KeyGraph::kNone;
    KeyGraph::Way way;
    double price = 0;
    std::set<SiteName> knowing = {};  // ShareTarget::knowing
  };
  // What one site has been given so far.
  struct View {
    std::vector<std::uint32_t> touched;  // by cut, in the order of their numbers; bits are children
    bool holds = false;
  };
  using Undo = std::vector<std::pair<Node, View>>;

  void add_groups(const PolicyNode& cut, const sharing::RecordLayout& records);
  void add_domains();
  // What is there from the beginning.
  void add_standing(const StandingCut& standing);
  // Whether single parts of it were seen already.
  [[nodiscard]] bool was_seen(const PolicyNode& cut) const;
  void place(std::size_t group, std::size_t member, std::size_t first, double price);
  // A share that is about to be placed at one of its candidates.
  struct Attempt {
    std::size_t group, member;
    std::size_t at;  // which of the group's choices
    double price;    // of the shares before it
    double rest;     // the least that those behind it can cost
    const KeyGraph::Tree& tree;
    const std::vector<bool>& banned;
    bool hopeless;  // tried only to tell why
  };
  // What the shares of this cut that are still to be placed, from this one on, cost together.
  struct Together {
    double least = kHopeless;  // with all that is behind them; kHopeless: they cannot be placed
    std::size_t at = 0;        // where this share goes then: which of the group's choices,
    KeyGraph::Way way = {};    // and by which way
  };
  // This one goes to one of the group's choices from `first` on, but not behind `last`.
  Together together(std::size_t group, std::size_t member, std::size_t first, std::size_t last);
  // How many more shares of the group's cut every site may see.
  [[nodiscard]] std::vector<std::size_t> rooms(const Group& group) const;
  // Places the share as together() found it, where that is allowed.
  void try_together(std::size_t group, std::size_t member, double price, const Together& found);
  void try_site(const Attempt& attempt);
  void try_detours(const Attempt& attempt, const Together& found, const KeyGraph::Way& first);
  // Whether something that costs at least so much can still be better than what is known.
  [[nodiscard]] bool is_worth(double least) const;
  void take(std::size_t group, std::size_t member, std::size_t next, double price,
            const Choice& choice);
  Undo apply(const Group& group, std::size_t child, const Choice& choice);
  // The first failure domain of the site that may not hold this child too.
  std::optional<std::size_t> full_domain(Node site, std::size_t number);
  // Whether the failure domains of the site may hold this child too; if not, the reason is told.
  bool fits_domains(Node site, std::size_t number);
  [[nodiscard]] std::size_t number_of(const Group& group, std::size_t child) const;
  // Whether the site may see this child too; if not, `why` says it in words.
  bool may_see(Node site, const Group& group, std::size_t child, std::string* why) const;
  [[nodiscard]] std::vector<bool> banned_for(const Group& group, std::size_t child) const;
  void explain_no_way(const Group& group, std::size_t child, const Choices& choices, Node site);
  const Choices& choices(Node source, const Group& group);
  const std::vector<double>& prices(std::uint64_t bytes);
  [[nodiscard]] const Cut& cut_of(const Group& group) const { return cuts_.at(group.cut); }
  // Whether the site makes that cut.
  [[nodiscard]] bool makes(Node site, const Cut& cut) const;
  [[nodiscard]] Node source_of(const Group& group) const;
  // Whether no share is placed after this one but parts of its own.
  [[nodiscard]] bool is_last(std::size_t group, std::size_t member) const;
  // The least that the groups from `group` on can cost.
  double bound(std::size_t group);
  double cheapest(Node source, const Group& group);
  // A nested cut of unknown place: the way to its site, and from there to the parts.
  double cheapest_cut(Node source, std::size_t group);
  // The parts of a nested cut that this site makes, when nothing else is in their way.
  double cheapest_parts(Node site, std::size_t group);
  // What a share's resting there costs at least beside its way, for Wanted::more: its parts, and
  // what the site's weight adds. All prices there are as by the least weight.
  double beside_way(const Candidate& at, std::size_t group);
  // The least that the groups from `group` on can cost, without the shares of `cut`
  // and their parts.
  double bound_beside(std::size_t group, std::size_t cut);
  // The targets of a cut, with all that is below.
  [[nodiscard]] std::vector<ShareTarget> targets_of(const PolicyNode& cut) const;
  // Among interchangeable shares the sites stand in the order of the network, not of the prices.
  // False when nothing stands elsewhere than in the plan to differ from.
  bool put_in_order(std::vector<ShareTarget>& targets) const;
  void keep_if_better(double price);
  void exclude(const std::string& why);
  // Making reasons costs more than a step: only while some are still told.
  [[nodiscard]] bool wants_reasons() const;

  const PolicyNode& policy_;
  const PolicyNode* top_;  // the cut whose shares are placed: the object's, or one that stands
  const StandingCut* standing_;
  const Snapshot& snapshot_;
  KeyGraph graph_;
  std::optional<WayFinder> finder_;  // always there
  Node origin_;
  Node maker_;  // of the top cut
  // With a standing cut: who sees nothing of what is placed, by site; and what of the cuts below
  // they have seen before, as in View::touched.
  std::vector<bool> closed_;
  std::vector<std::vector<std::uint32_t>> seen_before_;
  std::map<std::size_t, Cut> cuts_;  // by PolicyNode::number
  std::vector<Group> groups_;
  std::map<std::uint64_t, std::vector<double>> prices_;  // by bytes
  std::map<std::tuple<Node, std::string, std::uint64_t>, Choices> choices_;
  std::map<std::pair<Node, std::size_t>, double> cut_bounds_;   // by source and group
  std::map<std::pair<Node, std::size_t>, double> part_bounds_;  // by site that cuts, and group
  double least_weight_ = 1;                                     // of any site
  std::vector<View> views_;                                     // by site
  std::vector<std::string> domain_names_;
  std::vector<std::vector<std::size_t>> domains_;  // by site: indices of domains
  std::unordered_map<NodeSet, bool> domain_may_hold_;
  std::vector<NodeSet> inside_;              // by domain: the nodes that rest there
  std::vector<Choice> chosen_;               // by PolicyNode::number
  std::vector<std::set<SiteName>> avoided_;  // sites of each group in the plan to differ from
  std::optional<Found> best_;
  std::vector<std::string> exclusions_;
  std::set<std::pair<Node, std::size_t>> told_;  // of full_domains_: site and child
  std::vector<std::string> full_domains_;        // the first that excluded a site, in words
  Node crowded_ = KeyGraph::kNone;  // the first site that could not send a cut's shares
  std::size_t steps_ = 0;
  std::size_t hopeless_steps_ = 0;
};

}  // namespace warifu::planner
