// Depth first, shares in the order of the policy's text. A domain that would hold too much never
// opens again, so nothing is missed by not going on; of equal selectors in one cut the sites are
// taken in one order only.
#include "control/site_assignment.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/failure_domains.h"
#include "control/share_letters.h"
#include "control/site_selector.h"

namespace warifu::control {
namespace {

class Assignment {
 public:
  Assignment(const PolicyNode& policy, const SiteConfig& config)
      : policy_(policy),
        config_(config),
        origin_(config.find(config.controller)),
        names_(share_names(policy)),
        domains_(domain_map(config.sites)) {
    add(policy);
  }

  Result<> run() {
    if (place(0)) return {};
    const std::string limit = steps_ < kMaxAssignmentSteps
                                  ? ""
                                  : fmt::format(" among the first {} tried", kMaxAssignmentSteps);
    return fail(Code::kRefused,
                fmt::format("no sites for policy '{}'{}: {}", policy_.text(), limit,
                            reasons_.empty() ? "there are too few for so many shares"
                                             : fmt::format("{}", fmt::join(reasons_, "; "))));
  }

 private:
  // A share, and the one before it in its cut that any of its sites could have as well.
  struct Seat {
    const PolicyNode* node;
    std::size_t equal = SIZE_MAX;
    std::size_t site = SIZE_MAX;
  };

  void add(const PolicyNode& cut) {
    std::map<std::string, std::size_t> last;  // leaf by selector
    for (const PolicyNode& child : cut.children) {
      Seat seat{.node = &child};
      if (child.is_leaf()) {
        const auto [before, is_first] = last.try_emplace(child.label, seats_.size());
        if (!is_first) seat.equal = std::exchange(before->second, seats_.size());
      }
      seats_.push_back(seat);
      add(child);
    }
  }

  bool place(std::size_t at) {
    if (at == seats_.size()) return true;
    Seat& seat = seats_[at];
    const std::string& selector = seat.node->is_leaf() ? seat.node->label : seat.node->via;
    const std::size_t first = seat.equal == SIZE_MAX ? 0 : seats_[seat.equal].site + 1;
    for (std::size_t i = first; i < config_.sites.size(); ++i) {
      if (++steps_ >= kMaxAssignmentSteps) return false;
      const SiteEntry& site = config_.sites[i];
      const bool origin = site.name == config_.controller;
      if (used_.contains(i) || origin != (selector == "origin") ||
          !may_place(selector, site, origin_)) {
        continue;
      }
      resting_.push_back({seat.node->number, site.name});
      const auto fits = check_domains(policy_, domains_, resting_, site.name);
      if (fits) {
        seat.site = i;
        used_.insert(i);
        if (place(at + 1)) return true;
        used_.erase(i);
      } else {
        note(fmt::format("share {} at {}: {}", names_[at].first, site.name.text(),
                         fits.error().message));
      }
      resting_.pop_back();
    }
    return false;
  }

  void note(std::string why) {
    constexpr std::size_t kTold = 3;
    if (reasons_.size() < kTold && std::ranges::find(reasons_, why) == reasons_.end()) {
      reasons_.push_back(std::move(why));
    }
  }

  const PolicyNode& policy_;
  const SiteConfig& config_;
  const SiteEntry* origin_;
  std::vector<std::pair<std::string, std::size_t>> names_;
  DomainMap domains_;
  std::vector<Seat> seats_;
  std::vector<Resting> resting_;
  std::set<std::size_t> used_;
  std::vector<std::string> reasons_;
  std::size_t steps_ = 0;
};

}  // namespace

Result<> find_sites(const PolicyNode& policy, const SiteConfig& config) {
  return Assignment(policy, config).run();
}

}  // namespace warifu::control
