// Makes the catalog say what the sites hold: after a copy was taken over, or from the shares alone.
//
// Every reachable site lists its shares; each object is settled in one step, so the job may be cut
// short and run again. Persons are found by the pseudonyms that gates know for their cards; who is
// in no copy gets an id and no name. What cannot be settled is left as it is and told in the
// result. What becomes of what the catalog knows: recovery/known_objects.h. Shares that nobody
// needs are counted and never deleted on what sites say; objects that a job works on are left
// alone. While it runs nothing that waits for its deletion is deleted.
#pragma once

#include "control/jobs.h"
#include "recovery/known_objects.h"

namespace warifu::recovery {

class RebuildJob final : public control::Work {
 public:
  using Work::Work;
  [[nodiscard]] Result<> run() override;
  [[nodiscard]] bool is_committed() const override { return false; }
  // Nothing to take back: every step was true.
  void roll_back(const Error& why) override { give_up(why); }

 private:
  struct Count {
    std::uint64_t objects = 0, added = 0, persons = 0, lost_shares = 0, spare_shares = 0,
                  unsettled = 0, gone = 0, unknown_records = 0, without_tag = 0, uncut = 0;
  };
  Result<> list_site(const SiteName& site);
  Result<> list_cards(const SiteName& site);
  // What it has held and holds no more.
  Result<> list_sightings(const SiteName& site);
  void add_sightings(Verdict& verdict) const;
  Result<> settle_objects();
  Result<> settle_object(const ObjectId& object);
  Result<> count_record(const ObjectId& object);
  [[nodiscard]] Evidence evidence_of(const ObjectId& object) const;
  Result<Verdict> judge(const catalog::Object& known);
  // Errors: kRefused while a job works on the object, or one did since the listing began.
  Result<> check_idle(const ObjectId& object);
  // The person of these pseudonyms; one that nobody knows is enrolled without a name.
  Result<std::string> person_of(const std::map<SiteName, Pseudonym>& owner);
  // Adds those of a person that the catalog lacks and a site has told.
  Result<> learn_pseudonyms(const std::string& person_id, const ObjectId& object);
  Result<std::string> add_person(const std::map<SiteName, Pseudonym>& owner);
  // Objects that the catalog counts on and of which no site shows anything.
  Result<> find_gone();
  [[nodiscard]] bool is_silent(const SiteName& site) const;
  [[nodiscard]] const SiteName& own_name() const { return engine_.site().config.name; }
  [[nodiscard]] std::string result() const;

  std::map<ObjectId, std::vector<FoundShare>> shares_;
  std::map<ObjectId, std::vector<control::NotedSighting>> sightings_;
  std::map<std::pair<SiteName, Pseudonym>, CardId> cards_;
  std::map<CardId, std::map<SiteName, Pseudonym>> pseudonyms_;
  std::vector<std::pair<SiteName, std::string>> silent_;  // and why
  std::vector<std::pair<SiteName, std::string>> without_leave_;
  std::vector<std::pair<ObjectId, std::string>> unsettled_;  // and why
  std::vector<std::pair<ObjectId, std::string>> gone_;       // and what they were called
  Count count_;
  os::UnixMs began_;
};

}  // namespace warifu::recovery
