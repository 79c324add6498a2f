// Who breaks things: lines, processes, disks.
#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Dice& dice() {
  return Schedule::dice();
}

}  // namespace

void ClusterRun::wait_calmly(Schedule::Time duration) {
  const auto until = Schedule::now() + duration;
  while (!calm_ && Schedule::now() < until) Schedule::sleep(milliseconds(100));
}

void ClusterRun::break_things(Schedule::Time end, void (ClusterRun::*how)()) {
  while (Schedule::now() < end) {
    wait_calmly(milliseconds(dice().between(20, 1500)));
    (this->*how)();
  }
  calm_ = true;
  --working_;
}

void ClusterRun::break_line() {
  SimNet& net = cluster_.net();
  const ClusterShape& shape = cluster_.shape();
  auto [a, b] = shape.links[dice().below(shape.links.size())];
  if (dice().one_in(2)) std::swap(a, b);
  const auto duration =
      dice().one_in(25) ? milliseconds(65'000) : milliseconds(dice().between(50, 3000));
  switch (dice().below(5)) {
    case 0:
      cluster_.say("both ways between ", shape.text(a), " and ", shape.text(b), " close");
      ++cluster_.counts.splits;
      net.close_way(a, b, true);
      net.close_way(b, a, true);
      wait_calmly(duration);
      net.close_way(a, b, false);
      net.close_way(b, a, false);
      return;
    case 1:
      cluster_.say("the way from ", shape.text(a), " to ", shape.text(b), " closes");
      ++cluster_.counts.one_way;
      net.close_way(a, b, true);
      wait_calmly(duration);
      net.close_way(a, b, false);
      return;
    case 2:
      cluster_.say("connections of ", shape.text(a), " and ", shape.text(b), " are cut");
      ++cluster_.counts.cuts;
      net.cut(a, b);
      return;
    case 3:
      cluster_.say(shape.text(a), " is slow");
      ++cluster_.counts.slow;
      net.set_slow(a, milliseconds(dice().between(50, 900)));
      wait_calmly(duration);
      net.set_slow(a, {});
      return;
    default:
      cluster_.say("somebody is in the lines");
      net.mischief.one_in = dice().between(6, 60);
      wait_calmly(duration);
      net.mischief.one_in = 0;
      return;
  }
}

void ClusterRun::break_disk() {
  const std::size_t site = dice().below(cluster_.size());
  const auto& harmable = cluster_.shape().harmable;
  if (rules_.burn_control && !harmed_ && cluster_.keeps_copies() && dice().one_in(2)) {
    return burn_down(kControlSite);
  }
  switch (dice().below(8)) {
    case 0:
    case 1:
    case 2:
      if (!cluster_.is_up(site)) return;
      cluster_.say(cluster_.shape().text(site), " will lose its power");
      cluster_.crash_soon(site, dice().between(1, 40));
      return;
    case 3:
      cluster_.say("the process of ", cluster_.shape().text(site), " is killed");
      return cluster_.kill(site);
    case 4: {
      if (!cluster_.is_up(site)) return;
      cluster_.say("the disk of ", cluster_.shape().text(site), " is full");
      SimDisk& disk = cluster_.disk(site);
      const std::uint64_t before = disk.refused_for_space();
      disk.set_full(true);
      Cluster::Use use(cluster_, site);  // or it would be another disk
      wait_calmly(milliseconds(dice().between(100, 3000)));
      disk.set_full(false);
      cluster_.counts.full += disk.refused_for_space() - before;
      return;
    }
    case 5: {
      if (harmed_ || !dice().one_in(2)) return;
      const bool control = cluster_.keeps_copies() && dice().one_in(2);
      return burn_down(control ? kControlSite : harmable[dice().below(harmable.size())]);
    }
    default: return harm_shares(harmable[dice().below(harmable.size())]);
  }
}

void ClusterRun::burn_down(std::size_t site) {
  // Without copies the catalog would be gone.
  if (site == kControlSite && !cluster_.keeps_copies()) return;
  harmed_ = site;
  ever_harmed_ = true;
  to_renew_ = site;
  cluster_.burn(site, [&] {
    if (site == kControlSite) lose_catalog();
  });
}

// Rot, and a write that goes to another place, in files of shares.
void ClusterRun::harm_shares(std::size_t site) {
  if ((harmed_ && *harmed_ != site) || !cluster_.is_up(site)) return;
  SimDisk& disk = cluster_.disk(site);
  const std::string folder = cluster_.folder(site) + "/shares";
  const auto names = disk.list(folder);
  if (!names) return;
  std::vector<std::string> shares;
  for (const std::string& name : *names) {
    if (name.ends_with(".share")) shares.push_back(folder + "/" + name);
  }
  if (shares.empty()) return;
  const std::string& victim = shares[dice().below(shares.size())];
  const auto file = disk.open(victim, os::OpenMode::kRead);
  const auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
  if (!size || *size == 0) return;
  harmed_ = site;
  ever_harmed_ = true;
  if (dice().one_in(3)) {
    cluster_.say("a write to a share of ", cluster_.shape().text(site), " will go astray");
    disk.misdirect_next_write({folder + "/", victim, dice().below(*size) / 512 * 512});
    wait_calmly(seconds(2));
    if (cluster_.is_up(site) && !cluster_.disk(site).misdirection_is_due()) {
      ++cluster_.counts.astray;
    }
    return;
  }
  for (std::uint64_t i = dice().between(1, 4); i > 0; --i) {
    if (disk.rot(victim, dice().below(*size), static_cast<Byte>(1U << dice().below(8)))) {
      ++cluster_.counts.rotten;
    }
  }
  cluster_.say("a share of ", cluster_.shape().text(site), " rots: ", victim);
}

}  // namespace warifu::sim
