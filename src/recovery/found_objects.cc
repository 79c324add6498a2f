// One place of the tree after the other.
#include "recovery/found_objects.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "planner/policy.h"
#include "recovery/cut_families.h"

namespace warifu::recovery {
namespace {

struct Claim {
  ShareId share;
  SiteName site;
  bool held = false;
  std::set<SiteName> named;  // the sites whose shares name it as their sibling
  os::UnixMs created;
};
using Claims = std::vector<Claim>;

// The claims of one cut, by index.
struct Cut {
  std::vector<const FoundShare*> shares;  // held
  std::map<std::uint8_t, Claims> places;

  Claim& claim(std::uint8_t index, const ShareId& share, const SiteName& site) {
    Claims& claims = places[index];
    const auto known = std::ranges::find(claims, share, &Claim::share);
    if (known != claims.end()) return *known;
    return claims.emplace_back(Claim{.share = share, .site = site});
  }
  void add(const FoundShare& found) {
    shares.push_back(&found);
    Claim& own = claim(found.spec.path.index(), found.spec.share, found.site);
    own.held = true;
    own.site = found.site;
    own.created = found.created;
    for (const control::Sibling& sibling : found.siblings) {
      if (sibling.share == found.spec.share) continue;
      claim(static_cast<std::uint8_t>(sibling.index), sibling.share, sibling.site)
          .named.insert(found.site);
    }
  }
  // Of the share at a place, what is claimed.
  [[nodiscard]] const Claims& at(std::uint8_t index) const {
    static const Claims kNone;
    const auto claims = places.find(index);
    return claims == places.end() ? kNone : claims->second;
  }
  // All of its shares were made; so were those of a cut of which nothing but parts of them is left.
  [[nodiscard]] bool is_finished() const {
    return shares.empty() ||
           std::ranges::any_of(shares, [](const FoundShare* s) { return !s->siblings.empty(); });
  }
};

// Held before lost, then named by more, then the younger one.
const Claim* best_of(const Claims& claims) {
  const auto best = std::ranges::max_element(claims, [](const Claim& a, const Claim& b) {
    return std::tuple(a.held, a.named.size(), a.created.value) <
           std::tuple(b.held, b.named.size(), b.created.value);
  });
  return best == claims.end() ? nullptr : &*best;
}

class Settling {
 public:
  // Of one family.
  Result<FoundTree> run(const std::vector<const FoundShare*>& family) {
    for (const FoundShare* found : family) shares_.push_back(*found);
    TRY(check_sites());
    TRY(describe());
    std::map<std::pair<sharing::SharePath, ShareId>, std::vector<const FoundShare*>> by_cut;
    for (const FoundShare& found : shares_) {
      if (policy_.find(found.spec.path) == nullptr) {
        return fail(Code::kRefused, "its policy has no share " + found.spec.path.text());
      }
      tree_.owner[found.site] = found.spec.owner;
      by_cut[{found.spec.path.parent(), found.spec.parent.value_or(ShareId{})}].push_back(&found);
    }
    for (const auto& [cut, shares] : by_cut) cuts_[cut.first][cut.second] = cut_of(shares);
    TRY_ASSIGN(const std::size_t live, place_cut({}, ShareId{}, cuts_[{}][ShareId{}]));
    if (live < policy_.scheme.threshold) {
      return fail(Code::kRefused, "only " + std::to_string(live) +
                                      " of its shares are there; it takes " +
                                      std::to_string(policy_.scheme.threshold));
    }
    for (const FoundShare* part : aside_) spare_part(*part);
    return std::move(tree_);
  }

 private:
  // Of several attempts at one cut the one that was finished, then that of which most is there,
  // then the younger one. The others' shares are of no use beside it.
  Cut cut_of(const std::vector<const FoundShare*>& shares) {
    const auto attempts = families_of(shares, Ties::kOfCut);
    const auto rank = [](const std::vector<const FoundShare*>& attempt) {
      std::set<sharing::SharePath> places;
      bool finished = false;
      std::int64_t created = 0;
      for (const FoundShare* found : attempt) {
        places.insert(found->spec.path);
        finished = finished || !found->siblings.empty();
        created = std::max(created, found->created.value);
      }
      return std::tuple(finished, places.size(), created);
    };
    const auto best = std::ranges::max_element(attempts, {}, rank);
    Cut cut;
    for (const FoundShare* found : *best) cut.add(*found);
    for (auto attempt = attempts.begin(); attempt != attempts.end(); ++attempt) {
      if (attempt != best) aside_.insert(aside_.end(), attempt->begin(), attempt->end());
    }
    return cut;
  }
  // A site holds one share of a family; one that shows more could out-vote the others. Two for
  // one place do not: a share that came back, and the one of before, which is still to be deleted.
  Result<> check_sites() const {
    std::map<SiteName, sharing::SharePath> places;
    for (const FoundShare& found : shares_) {
      if (places.try_emplace(found.site, found.spec.path).first->second == found.spec.path)
        continue;
      return fail(Code::kRefused,
                  found.site.text() + " shows several shares of it, and no site holds two");
    }
    return {};
  }

  // The object, from whichever share tells it.
  Result<> describe() {
    const auto top = std::ranges::find_if(
        shares_, [](const FoundShare& found) { return found.spec.path.is_top(); });
    const control::ShareSpec& any = (top == shares_.end() ? shares_.front() : *top).spec;
    TRY_ASSIGN(policy_, planner::parse_policy(any.policy));
    const sharing::Chunking chunking = any.chunking();
    records_ = sharing::RecordLayout(chunking);
    os::UnixMs first = shares_.front().created, last = first;
    for (const FoundShare& found : shares_) {
      if (found.spec.object_length != any.object_length || found.spec.policy != any.policy ||
          found.spec.lead_chunks != any.lead_chunks) {
        return fail(Code::kRefused, "its shares disagree about its length or policy");
      }
      first.value = std::min(first.value, found.created.value);
      last.value = std::max(last.value, found.created.value);
    }
    tree_.found.object = {.object = any.object,
                          .person_id = "",
                          .label = "found in its shares",
                          .length = any.object_length,
                          .chunk_count = chunking.chunk_count(),
                          .state = catalog::ObjectState::kCommitted,
                          .policy = any.policy,
                          .generation = any.generation,
                          .created = first,
                          .committed_at = last,
                          .input = "catalog rebuild",
                          .card_record = catalog::CardRecordState::kUnknown,
                          .lead_chunks = any.lead_chunks};
    return {};
  }

  // Whether a part of that share, or a part of a part, was found.
  [[nodiscard]] bool has_parts(const sharing::SharePath& path) const {
    return std::ranges::any_of(shares_, [&](const FoundShare& found) {
      return found.spec.path != path && found.spec.path.is_within(path);
    });
  }
  // So many shares of a cut are held, or in parts.
  [[nodiscard]] std::size_t standing(const sharing::SharePath& path, const Cut& cut) const {
    std::size_t count = 0;
    for (std::uint8_t i = 0; i < policy_.find(path)->children.size(); ++i) {
      const bool is_held = std::ranges::any_of(cut.at(i), &Claim::held);
      count += is_held || has_parts(path.part(i)) ? 1U : 0U;
    }
    return count;
  }
  // The cut of the share at that path of which most stands, and that share; none: it was not cut.
  // Its own siblings may still name it when its parts do not.
  std::pair<const Cut*, ShareId> cut_below(const sharing::SharePath& path, const Claims& claims) {
    const Cut* best = nullptr;
    ShareId share;
    for (const auto& [parent, cut] : cuts_[path]) {
      if (best != nullptr && standing(path, cut) <= standing(path, *best)) continue;
      best = &cut;
      share = parent;
    }
    if (best != nullptr || !has_parts(path)) return {best, share};
    if (const Claim* named = best_of(claims)) {
      share = named->share;
    } else {
      share = tree_.unnamed[path] = unnamed(path);
    }
    return {&cuts_[path][share], share};
  }
  // Random as the object's id is.
  [[nodiscard]] ShareId unnamed(const sharing::SharePath& path) const {
    ShareId id = ShareId::from_view(tree_.found.object.object.view());
    for (std::size_t i = 0; i < path.size(); ++i)
      id.bytes[i] ^= static_cast<Byte>(path.step(i) + 1);
    for (std::size_t i = 0; i < 4; ++i) {
      id.bytes[12 + i] ^= static_cast<Byte>(tree_.found.object.generation >> (8 * i));
    }
    return id;
  }

  // All shares of a cut; so many of them can be had.
  Result<std::size_t> place_cut(const sharing::SharePath& path, const ShareId& parent,
                                const Cut& cut) {
    std::size_t live = 0;
    for (std::size_t i = 0; i < policy_.find(path)->children.size(); ++i) {
      const auto& claims = cut.at(static_cast<std::uint8_t>(i));
      TRY_ASSIGN(const bool is_live, place(path.part(i), parent, claims));
      live += is_live ? 1U : 0U;
    }
    TRY(check_together(cut));
    return live;
  }

  // Of two shares of one cut that stand, the one that came last names the other. Only a site that
  // lies about its siblings brings others together.
  [[nodiscard]] Result<> check_together(const Cut& cut) const {
    std::vector<const FoundShare*> standing;
    for (const FoundShare* found : cut.shares) {
      if (found->siblings.empty()) continue;
      const bool stands = std::ranges::any_of(tree_.found.shares, [&](const catalog::Share& share) {
        return share.share == found->spec.share && share.site == found->site;
      });
      if (stands) standing.push_back(found);
    }
    const auto names = [](const FoundShare& a, const FoundShare& b) {
      return std::ranges::find(a.siblings, b.spec.share, &control::Sibling::share) !=
             a.siblings.end();
    };
    for (const FoundShare* a : standing) {
      for (const FoundShare* b : standing) {
        if (a == b || names(*a, *b) || names(*b, *a)) continue;
        return fail(Code::kRefused, "its shares at " + a->site.text() + " and " + b->site.text() +
                                        " do not know each other: one site lies about its "
                                        "siblings");
      }
    }
    return {};
  }

  // One share, whole or cut again; whether it can be had.
  Result<bool> place(const sharing::SharePath& path, const ShareId& parent, const Claims& claims) {
    const auto [parts, cut_share] = cut_below(path, claims);
    const Claim* whole = best_of(claims);
    const bool is_whole_held = whole != nullptr && whole->held;
    const planner::PolicyNode& node = *policy_.find(path);
    const bool is_cut = parts != nullptr && parts->is_finished() &&
                        (!is_whole_held || standing(path, *parts) == node.children.size());
    if (!is_cut && whole == nullptr) {
      return fail(Code::kRefused,
                  "it was never stored wholly: nobody knows of share " + path.text());
    }
    bool live = is_whole_held;
    if (is_cut) {
      add_whole(path, parent, cut_share, *parts, claims);
      TRY_ASSIGN(const std::size_t there, place_cut(path, cut_share, *parts));
      live = there >= node.scheme.threshold;
    } else {
      add_share(path, parent, *whole);
    }
    spare_all(path, parent, claims, is_cut ? ShareId{} : whole->share);
    for (const auto& [share, cut] : cuts_[path]) {
      if (is_cut && share == cut_share) continue;
      for (const FoundShare* part : cut.shares) spare_part(*part);
    }
    return live;
  }

  // A share that was cut again.
  void add_whole(const sharing::SharePath& path, const ShareId& parent, const ShareId& share,
                 const Cut& cut, const Claims& claims) {
    catalog::Share whole = share_of(path, parent, share);
    whole.state = catalog::ShareState::kDeletePending;
    const auto maker = std::ranges::find(claims, share, &Claim::share);
    // Who made the parts had it; unknown when no sibling says so.
    if (maker != claims.end()) {
      whole.last_site = maker->site;
      tree_.found.sightings.push_back({maker->site, path});
    } else {
      const auto part = std::ranges::find_if(
          shares_, [&](const FoundShare& found) { return found.spec.path.is_within(path); });
      whole.last_site = cut.shares.empty() ? part->site : cut.shares.front()->site;
    }
    tree_.found.shares.push_back(whole);
  }

  [[nodiscard]] catalog::Share share_of(const sharing::SharePath& path, const ShareId& parent,
                                        const ShareId& share) const {
    const auto records = planner::records_at(policy_, records_, path);
    catalog::Share made{.share = share,
                        .object = tree_.found.object.object,
                        .parent = {},
                        .path = path,
                        .cut_shares = policy_.find(path.parent())->scheme.shares,
                        .generation = tree_.found.object.generation,
                        .bytes = records.lengths({0}, records.count())};
    if (!path.is_top()) made.parent = parent;
    return made;
  }

  void add_share(const sharing::SharePath& path, const ShareId& parent, const Claim& claim) {
    catalog::Share share = share_of(path, parent, claim.share);
    share.site = share.last_site = claim.site;
    share.state = catalog::ShareState::kDurable;
    tree_.found.shares.push_back(share);
    tree_.lost += claim.held ? 0 : 1;
    tree_.found.sightings.push_back({claim.site, path});
  }

  void spare_all(const sharing::SharePath& path, const ShareId& parent, const Claims& claims,
                 const ShareId& kept) {
    for (const Claim& claim : claims) {
      if (!claim.held || claim.share == kept) continue;
      if (std::ranges::find(tree_.found.shares, claim.share, &catalog::Share::share) !=
          tree_.found.shares.end()) {
        continue;  // the share that was cut: its place is told already
      }
      add_spare(share_of(path, parent, claim.share), claim.site);
    }
  }

  // Of a cut that was not finished: its parent stands whole. Parts of anything else are left alone.
  void spare_part(const FoundShare& part) {
    const ShareId parent = part.spec.parent.value_or(ShareId{});
    if (std::ranges::find(tree_.found.shares, parent, &catalog::Share::share) ==
        tree_.found.shares.end()) {
      return;
    }
    add_spare(share_of(part.spec.path, parent, part.spec.share), part.site);
  }

  void add_spare(catalog::Share spare, const SiteName& site) {
    spare.last_site = site;
    spare.state = catalog::ShareState::kDeletePending;
    tree_.found.sightings.push_back({site, spare.path});
    tree_.found.spare.push_back(std::move(spare));
  }

  std::vector<FoundShare> shares_;        // of the family
  std::vector<const FoundShare*> aside_;  // of attempts that came to nothing
  // By the share that was cut, at that path; the object's own id is zero.
  std::map<sharing::SharePath, std::map<ShareId, Cut>> cuts_;
  planner::PolicyNode policy_;
  sharing::RecordLayout records_;  // of the object
  FoundTree tree_;
};

// Of two generations that a refresh has left side by side, the one of which most sites show a share
// comes first: all of them hold the new one before the first deletes the old one. Then the newer
// one.
auto rank_of(const std::vector<const FoundShare*>& family) {
  std::set<SiteName> sites;
  std::int64_t created = 0;
  for (const FoundShare* found : family) {
    sites.insert(found->site);
    created = std::max(created, found->created.value);
  }
  return std::tuple(sites.size(), family.front()->spec.generation, created);
}

}  // namespace

Result<FoundTree> settle(const std::vector<FoundShare>& shares) {
  WARIFU_CHECK(!shares.empty());
  std::vector<const FoundShare*> all;
  for (const FoundShare& found : shares) all.push_back(&found);
  auto families = families_of(all, Ties::kOfObject);
  std::ranges::stable_sort(families, std::greater(), rank_of);
  std::optional<Error> why;  // of the first
  for (const auto& family : families) {
    auto tree = Settling().run(family);
    if (tree) return tree;
    if (!why) why = tree.error();
  }
  return std::unexpected(*why);
}

}  // namespace warifu::recovery
