// One place of the tree after the other.
#include "recovery/found_objects.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "control/policy.h"
#include "control/share_letters.h"

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
    Claim& own = claim(static_cast<std::uint8_t>(found.spec.index), found.spec.share, found.site);
    own.held = true;
    own.site = found.site;
    own.created = found.created;
    for (const control::Sibling& sibling : found.siblings) {
      if (sibling.share == found.spec.share) continue;
      claim(static_cast<std::uint8_t>(sibling.index), sibling.share, sibling.site)
          .named.insert(found.site);
    }
  }
  [[nodiscard]] const sharing::Scheme& scheme() const { return shares.front()->spec.scheme; }
  // So many different places have a share that somebody holds.
  [[nodiscard]] std::size_t held_places() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        places, [](const auto& place) { return std::ranges::any_of(place.second, &Claim::held); }));
  }
  [[nodiscard]] bool is_finished() const {
    return std::ranges::any_of(shares, [](const FoundShare* s) { return !s->siblings.empty(); });
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
  Result<FoundTree> run(const std::vector<FoundShare>& all) {
    const std::uint32_t generation = generation_of(all);
    std::vector<FoundShare> shares;
    std::ranges::copy_if(all, std::back_inserter(shares), [&](const FoundShare& found) {
      return found.spec.generation == generation;
    });
    TRY(check_sites(shares));
    for (const FoundShare& found : shares) {
      tree_.owner[found.site] = found.spec.owner;
      if (found.spec.parent) {
        nested_[*found.spec.parent].add(found);
      } else {
        top_.add(found);
      }
    }
    TRY(describe(shares, generation));
    for (std::size_t i = 0; i < scheme_.shares; ++i) TRY(place_top(static_cast<std::uint8_t>(i)));
    if (live_ < scheme_.threshold) {
      return fail(Code::kRefused, "only " + std::to_string(live_) +
                                      " of its shares are there; it takes " +
                                      std::to_string(scheme_.threshold));
    }
    return std::move(tree_);
  }

 private:
  // Of two generations that a refresh has left side by side, the one of which most sites show a
  // share: all of them hold the new one before the first deletes the old one. Then the newer one.
  static std::uint32_t generation_of(const std::vector<FoundShare>& shares) {
    std::map<std::uint32_t, std::set<SiteName>> sites;
    for (const FoundShare& found : shares) sites[found.spec.generation].insert(found.site);
    const auto best = std::ranges::max_element(
        sites, {}, [](const auto& entry) { return std::pair(entry.second.size(), entry.first); });
    return best->first;
  }
  // A site holds one share of a generation; one that shows more could out-vote the others.
  static Result<> check_sites(const std::vector<FoundShare>& shares) {
    std::set<SiteName> sites;
    for (const FoundShare& found : shares) {
      if (sites.insert(found.site).second) continue;
      return fail(Code::kRefused,
                  found.site.text() + " shows several shares of it, and no site holds two");
    }
    return {};
  }

  // The object, from whichever share tells it.
  Result<> describe(const std::vector<FoundShare>& shares, std::uint32_t generation) {
    const control::ShareSpec& any =
        top_.shares.empty() ? shares.front().spec : top_.shares.front()->spec;
    TRY_ASSIGN(const control::PolicyNode policy, control::parse_policy(any.policy));
    scheme_ = policy.scheme;
    const sharing::Chunking chunking = any.chunking();
    records_ = sharing::RecordLayout(chunking).below(scheme_);
    os::UnixMs first = shares.front().created, last = first;
    for (const FoundShare& found : shares) {
      if (found.spec.object_length != any.object_length || found.spec.policy != any.policy) {
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
                          .generation = generation,
                          .created = first,
                          .committed_at = last,
                          .input = "catalog rebuild",
                          .card_record = catalog::CardRecordState::kOnCard};
    return {};
  }

  Result<> place_top(std::uint8_t index) {
    top_index_ = index;
    // The parts of each share that was, or was to be, at this place.
    const Cut* parts = nullptr;
    ShareId cut_share;
    for (const auto& [parent, cut] : nested_) {
      const bool here = static_cast<std::uint8_t>(cut.shares.front()->spec.parent_index) == index;
      if (here && (parts == nullptr || cut.held_places() > parts->held_places())) {
        parts = &cut;
        cut_share = parent;
      }
    }
    const auto claims = top_.places.find(index);
    const Claim* whole = claims == top_.places.end() ? nullptr : best_of(claims->second);
    const bool is_whole_held = whole != nullptr && whole->held;
    const bool is_cut = parts != nullptr && parts->is_finished() &&
                        (!is_whole_held || parts->held_places() == parts->scheme().shares);
    if (is_cut) {
      SiteName maker;
      for (const Claim& claim : claims == top_.places.end() ? Claims() : claims->second) {
        if (claim.share == cut_share) maker = claim.site;
      }
      TRY(add_cut(index, cut_share, maker, *parts));
    } else if (whole != nullptr) {
      add_share(*whole, std::nullopt, index, scheme_, records_);
      live_ += whole->held ? 1U : 0U;
    } else {
      return fail(Code::kRefused, "it was never stored wholly: nobody knows of share " +
                                      control::top_letter(static_cast<sharing::ShareIndex>(index)));
    }
    const ShareId kept = is_cut ? cut_share : whole->share;
    if (claims != top_.places.end()) {
      spare_all(claims->second, is_cut ? ShareId{} : kept, std::nullopt, index, scheme_, records_);
    }
    for (const auto& [parent, cut] : nested_) {
      if (static_cast<std::uint8_t>(cut.shares.front()->spec.parent_index) != index) continue;
      if (is_cut && parent == cut_share) continue;
      for (const FoundShare* part : cut.shares) spare_part(*part);
    }
    return {};
  }

  Result<> add_cut(std::uint8_t index, const ShareId& parent, const SiteName& maker,
                   const Cut& cut) {
    const sharing::Scheme& scheme = cut.scheme();
    catalog::Share whole = share_of(parent, std::nullopt, index, scheme_, records_);
    whole.state = catalog::ShareState::kDeletePending;
    // Who made the parts had it; unknown when no sibling says so.
    whole.last_site = maker.empty() ? cut.shares.front()->site : maker;
    tree_.found.shares.push_back(whole);
    if (!maker.empty()) tree_.found.sightings.push_back({maker, index, std::nullopt});
    const sharing::RecordLayout records = records_.below(scheme);
    for (std::uint8_t i = 0; i < scheme.shares; ++i) {
      const auto claims = cut.places.find(i);
      const Claim* best = claims == cut.places.end() ? nullptr : best_of(claims->second);
      if (best == nullptr) {
        return fail(Code::kRefused,
                    "nobody knows of one of the parts of its share " +
                        control::top_letter(static_cast<sharing::ShareIndex>(index)));
      }
      add_share(*best, parent, i, scheme, records);
      tree_.found.sightings.push_back({best->site, index, i});
      spare_all(claims->second, best->share, parent, i, scheme, records);
    }
    live_ += cut.held_places() >= scheme.threshold ? 1U : 0U;
    return {};
  }

  [[nodiscard]] catalog::Share share_of(const ShareId& share, const std::optional<ShareId>& parent,
                                        std::uint8_t index, const sharing::Scheme& scheme,
                                        const sharing::RecordLayout& records) const {
    return {.share = share,
            .object = tree_.found.object.object,
            .parent = parent,
            .index = index,
            .cut_shares = scheme.shares,
            .level = static_cast<std::uint8_t>(parent ? 1 : 0),
            .generation = tree_.found.object.generation,
            .bytes = records.lengths({0}, records.count())};
  }

  void add_share(const Claim& claim, const std::optional<ShareId>& parent, std::uint8_t index,
                 const sharing::Scheme& scheme, const sharing::RecordLayout& records) {
    catalog::Share share = share_of(claim.share, parent, index, scheme, records);
    share.site = share.last_site = claim.site;
    share.state = catalog::ShareState::kDurable;
    tree_.found.shares.push_back(share);
    tree_.lost += claim.held ? 0 : 1;
    if (!parent) tree_.found.sightings.push_back({claim.site, index, std::nullopt});
  }

  void spare_all(const Claims& claims, const ShareId& kept, const std::optional<ShareId>& parent,
                 std::uint8_t index, const sharing::Scheme& scheme,
                 const sharing::RecordLayout& records) {
    for (const Claim& claim : claims) {
      if (!claim.held || claim.share == kept) continue;
      if (std::ranges::find(tree_.found.shares, claim.share, &catalog::Share::share) !=
          tree_.found.shares.end()) {
        continue;  // the share that was cut: its place is told already
      }
      catalog::Share spare = share_of(claim.share, parent, index, scheme, records);
      spare.last_site = claim.site;
      spare.state = catalog::ShareState::kDeletePending;
      tree_.found.spare.push_back(spare);
      tree_.found.sightings.push_back(
          {claim.site, top_index_, parent ? std::optional<std::uint8_t>(index) : std::nullopt});
    }
  }

  // Of a cut that was not finished: its parent stands whole. Parts of anything else are left alone.
  void spare_part(const FoundShare& part) {
    if (std::ranges::find(tree_.found.shares, *part.spec.parent, &catalog::Share::share) ==
        tree_.found.shares.end()) {
      return;
    }
    const auto index = static_cast<std::uint8_t>(part.spec.index);
    catalog::Share spare =
        share_of(part.spec.share, part.spec.parent, index, part.spec.scheme, part.spec.records);
    spare.last_site = part.site;
    spare.state = catalog::ShareState::kDeletePending;
    tree_.found.spare.push_back(spare);
    tree_.found.sightings.push_back(
        {part.site, static_cast<std::uint8_t>(part.spec.parent_index), index});
  }

  Cut top_;
  std::map<ShareId, Cut> nested_;
  sharing::Scheme scheme_;
  sharing::RecordLayout records_;
  std::uint8_t top_index_ = 0;  // of the place that is being settled
  std::size_t live_ = 0;
  FoundTree tree_;
};

}  // namespace

Result<FoundTree> settle(const std::vector<FoundShare>& shares) {
  WARIFU_CHECK(!shares.empty());
  return Settling().run(shares);
}

}  // namespace warifu::recovery
