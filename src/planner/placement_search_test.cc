// The planner against trying every legal placement (or the first few 100,000), in small random
// networks with nested policies, failure domains, weights and relayed links.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <random>

#include "planner/exposure.h"
#include "planner/key_graph.h"
#include "planner/snapshot_test_support.h"

namespace warifu::planner {
namespace {

using Node = KeyGraph::Node;
using Visit = std::function<void(const KeyGraph::Way&)>;

// Every way from the last site of `way` that passes no site twice.
void walk(const KeyGraph& graph, KeyGraph::Way& way, const Visit& visit) {
  visit(way);
  for (const KeyGraph::Arc& arc : graph.arcs(way.back())) {
    if (std::ranges::find(way, arc.to) != way.end()) continue;
    way.push_back(arc.to);
    walk(graph, way, visit);
    way.pop_back();
  }
}

class EveryPlacement {
 public:
  EveryPlacement(const PolicyNode& policy, const Snapshot& snapshot,
                 const sharing::RecordLayout& records)
      : policy_(policy), snapshot_(snapshot), graph_(snapshot) {
    add(policy, records.below(policy.scheme), SIZE_MAX);
    chosen_.resize(wanted_.size());
    seen_.resize(graph_.size());
  }

  // Cheaper than `limit`; kUnreachable: there is none among those that were tried.
  double cheapest(double limit) {
    limit_ = limit;
    place(0, 0);
    return best_;
  }

 private:
  struct Want {
    const PolicyNode* node;
    std::size_t below;  // the want whose share is cut for it; SIZE_MAX: the object
    unsigned share;     // of the object, that it is or is a part of
    std::vector<double> prices;
  };

  void add(const PolicyNode& cut, const sharing::RecordLayout& records, std::size_t below) {
    const auto prices = graph_.prices(records.lengths({0}, records.count()));
    for (const PolicyNode& child : cut.children) {
      if (below == SIZE_MAX) ++shares_;
      wanted_.push_back({&child, below, shares_, prices});
      if (!child.is_leaf()) add(child, records.below(child.scheme), wanted_.size() - 1);
    }
  }

  void place(std::size_t next, double price) {
    if (price >= std::min(best_, limit_) || ++steps_ > kMaxSteps) return;
    if (next == wanted_.size()) {
      if (is_legal()) best_ = price;
      return;
    }
    const Want& want = wanted_[next];
    const Node origin = graph_.find(snapshot_.origin);
    const std::string& label = want.node->is_leaf() ? want.node->label : want.node->via;
    KeyGraph::Way start = {want.below == SIZE_MAX ? origin : chosen_[want.below].back()};
    walk(graph_, start, [&](const KeyGraph::Way& way) {
      const config::SiteEntry& rests = graph_.site(way.back());
      if ((label == "origin") != (way.size() == 1)) return;
      if (label != "origin" && std::ranges::find(rests.labels, label) == rests.labels.end()) return;
      for (std::size_t i = 0; i < next; ++i) {
        if (chosen_[i].back() == way.back()) return;
      }
      chosen_[next] = way;
      const auto before = seen_;
      if (see(way, origin, 1U << want.share)) {
        place(next + 1, price + graph_.price(way, want.prices) * rests.weight);
      }
      seen_ = before;
    });
  }

  // What is illegal already stays so. False: a site sees more of the object's own shares than it
  // may.
  bool see(const KeyGraph::Way& way, Node origin, unsigned share) {
    bool legal = true;
    for (const Node node : way) {
      if (node == origin) continue;
      seen_[node] |= share;
      legal = legal && std::popcount(seen_[node]) <= static_cast<int>(policy_.scheme.privacy());
    }
    return legal;
  }

  std::vector<ShareTarget> targets(std::size_t below) const {
    std::vector<ShareTarget> all;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].below != below) continue;
      ShareTarget& one = all.emplace_back();
      one.site = graph_.site(chosen_[i].back()).name;
      one.route = graph_.route(chosen_[i]);
      for (const Node node : graph_.knowing(chosen_[i])) one.knowing.insert(graph_.site(node).name);
      one.nested = targets(i);
      if (!one.nested.empty()) one.cut = wanted_[i].node->scheme;
    }
    return all;
  }

  bool is_legal() const {
    const auto shares = targets(SIZE_MAX);
    for (const ShareTarget& share : shares) {
      for (const ShareTarget& part : share.nested) {
        if (part.knowing.contains(snapshot_.origin)) return false;
      }
    }
    return check_exposure(policy_.scheme, shares, snapshot_.origin) &&
           check_domains(policy_, snapshot_.domains, resting_of(policy_, shares));
  }

  const PolicyNode& policy_;
  const Snapshot& snapshot_;
  KeyGraph graph_;
  std::vector<Want> wanted_;
  static constexpr std::size_t kMaxSteps = 300'000;
  std::size_t steps_ = 0;
  unsigned shares_ = 0;
  std::vector<KeyGraph::Way> chosen_;
  std::vector<unsigned> seen_;  // by site: a bit for each share
  double best_ = KeyGraph::kUnreachable, limit_ = 0;
};

Snapshot random_network(std::mt19937& random, unsigned sites) {
  Snapshot snapshot;
  const auto name = [](unsigned i) { return site("s" + std::to_string(i)); };
  snapshot.origin = name(0);
  for (unsigned i = 0; i < sites; ++i) {
    config::SiteEntry entry{name(i), static_cast<std::uint8_t>(i + 1), {"any"}};
    if (random() % 3 != 0) entry.labels.push_back("half");
    if (random() % 4 == 0) entry.weight = 1 + random() % 3;
    snapshot.sites.push_back(std::move(entry));
    if (random() % 3 == 0) snapshot.domains[name(i)] = {"d" + std::to_string(random() % 2)};
  }
  for (unsigned i = 0; i < sites; ++i) {
    for (unsigned j = 0; j < i; ++j) {
      if (random() % 5 > 1) continue;
      link(snapshot, "s" + std::to_string(i), "s" + std::to_string(j), kme::LinkClass::kPreshared,
           random() % (4 * kGigabyte));
      if (random() % 8 == 0) snapshot.edges.back().knowing.insert(name(random() % sites));
    }
  }
  return snapshot;
}

TEST(PlacementSearch, IsAsCheapAsTryingEverything) {
  std::mt19937 random(31);
  const sharing::RecordLayout records(sharing::Chunking{{kGigabyte}});
  for (const char* text :
       {"2 of (origin, any, any)", "2 of (any, half, any)", "3 of (origin, any, any, half)",
        "2 of (origin, half, 2 of (any, any) via any)",
        "2 of (origin, 2 of (any, half) via any, any)",
        "2 of (origin, 2 of (any, any, any) via any)"}) {
    const auto policy = parse_policy(text);
    ASSERT_TRUE(policy) << text;
    unsigned found = 0, refused = 0, open = 0;
    for (int round = 0; round < 20; ++round) {
      const Snapshot snapshot = random_network(random, 6);
      const auto plan = plan_placement(*policy, snapshot, records);
      // Given up at the limit of steps: nothing is said about others.
      if (plan ? !plan->is_cheapest : plan.error().message.contains("among the first")) {
        ++open;
        continue;
      }
      const double limit = plan ? plan->price * (1 - 1e-8) : KeyGraph::kUnreachable;
      EXPECT_EQ(EveryPlacement(*policy, snapshot, records).cheapest(limit), KeyGraph::kUnreachable)
          << text << ", round " << round << ": "
          << (plan ? std::to_string(plan->price) : plan.error().message);
      ++(plan ? found : refused);
    }
    EXPECT_LE(open, 2u) << text;
    EXPECT_GT(found, 1u) << text << ": " << refused << " refused";
  }
}

}  // namespace
}  // namespace warifu::planner
