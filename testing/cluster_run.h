// One run of the simulated cluster: two clients who store, restore, move, refresh, audit and
// delete; somebody who breaks things; at the end a good network, time to heal, and the reckoning.
//
// A disk, and the shares of one site, are harmed only while no other site's are: the policy
// promises that one may go, not two. Everything else happens at any time. Thread rule: live()
// inside a Schedule, once.
#pragma once

#include <deque>

#include "testing/cluster_person.h"

namespace warifu::sim {

// An object as its person knows it.
struct ClusterObject {
  enum class State : std::uint8_t {
    kStoring,  // confirmed with a ticket
    kStored,   // share control has said so
    kNotStored,
    kGoing,  // somebody has asked to delete it, and knows no answer
    kDeleted,
  };
  ObjectId object;
  Bytes plain;
  State state = State::kStoring;
  bool on_card = false;
  bool may_be_lost = false;  // the catalog burnt before the card knew it
  std::optional<GrantId> grant;
};

class ClusterRun {
 public:
  // What is given must outlive it.
  ClusterRun(const ClusterRules& rules, const ClusterShape& shape, const ClusterImages& images);
  void live();
  [[nodiscard]] Cluster& cluster() { return cluster_; }

 private:
  // cluster_run.cc
  void work(std::uint64_t client);
  void act();
  void store();
  void follow(ClusterObject& object);
  void restore(ClusterObject& object);
  void relocate(ClusterObject& object);
  void refresh(ClusterObject& object);
  void audit(ClusterObject& object);
  void remove(ClusterObject& object);
  ClusterObject* pick(ClusterObject::State state);
  void compare(const ClusterObject& object, ByteView got, const std::string& who);

  // cluster_fate.cc
  void break_things(Schedule::Time end, void (ClusterRun::*how)());
  void break_line();
  void break_disk();
  void burn_down(std::size_t site);
  void harm_shares(std::size_t site);
  void wait_calmly(Schedule::Time duration);

  // cluster_rebuild.cc
  void lose_catalog();
  std::string rebuild_catalog();
  std::string try_to_rebuild();
  std::string unsettled(const std::string& result);
  [[nodiscard]] bool is_spare(const ShareId& share) const;
  [[nodiscard]] bool is_uncut(const ObjectId& object);

  // cluster_reckoning.cc
  void calm_down();
  // False when it does not come to an end.
  void heal();
  // What is still to be waited for; empty: nothing.
  std::string heal_once();
  std::string mend_shares();
  // What operators do about a job that waits: they have lost shares repaired, and bring key after a
  // while.
  void help(const catalog::Job& job);
  void help_all();
  // Whether a share is still to be cut again that stands whole, with no job; else empty.
  std::string await_cuts();
  // Whether all shares of the site are whole; what is wrong with one.
  std::string look_at_shares(std::size_t site);
  void reckon();
  void count_cuts();
  void compare_catalog();
  bool is_counted_on(const ShareId& share);
  void compare_joins(const ClusterObject& object);
  void restore_without(std::size_t site);
  bool is_key_short();
  void await_all_up();
  void say_where(const ObjectId& object);
  std::string restore_finally(ClusterObject& object);

  ClusterRules rules_;
  std::unique_ptr<SimDisk> card_disk_;
  Cluster cluster_;
  ClusterPerson person_;
  std::deque<ClusterObject> objects_;
  bool calm_ = false;
  std::size_t working_ = 0;
  std::optional<std::size_t> harmed_;  // whose shares were harmed, and perhaps still are
  bool ever_harmed_ = false;
  std::size_t waited_for_key_ = 0;       // so many looks have met what did
  std::optional<std::size_t> to_renew_;  // who has lost the card's keys
  // After the control site has burnt down.
  enum class CatalogFate : std::uint8_t {
    kWhole,    // it has not
    kLost,     // empty, or in the middle of being rebuilt
    kRebuilt,  // from what could be asked
    kSettled,  // by all sites, when nothing broke any more
  };
  CatalogFate catalog_ = CatalogFate::kWhole;
  bool from_shares_ = false;  // the copies are not used
  bool rebuilding_ = false;   // somebody is at it
  std::optional<JobId> rebuild_job_;
  std::set<ShareId> left_behind_;  // what sites kept when the catalog burnt
};

// What every run of a shape begins with, made once in a process.
[[nodiscard]] const ClusterImages& cluster_images(const ClusterShape& shape);
// The whole run of a seed.
[[nodiscard]] ClusterOutcome run_cluster(const ClusterRules& rules);

}  // namespace warifu::sim
