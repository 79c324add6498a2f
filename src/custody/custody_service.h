// What every site does when share control says something about cards: puts them on its gate's hot
// list, takes withdrawals, keeps shares of card records, and gives them to the card that has taken
// a lost one's place, or under the grant of a signature card, by its own gate's word. Handlers run
// on the channel's threads; `site` and `safe` must outlive it.
#pragma once

#include "channel/server.h"
#include "control/share_service.h"
#include "custody/record_safe.h"

namespace warifu::custody {

class CustodyService {
 public:
  CustodyService(control::SiteContext& site, RecordSafe& safe) : site_(site), safe_(safe) {}

  void add_handlers(channel::Server& server);

  // The same for the control site itself, which asks nobody. Errors: the gate's and the safe's;
  // give(): kRefused as consent::Gate::may_give_records says.
  [[nodiscard]] Result<> withdraw(const WithdrawOrder& order);
  [[nodiscard]] Result<> revoke(const CardId& card);
  // Errors: kNotFound: it is not on the hot list here.
  [[nodiscard]] Result<consent::LostCard> lost_card(const CardId& card);
  [[nodiscard]] Result<> take_order(const consent::PersonOrder& order);
  [[nodiscard]] Result<> take_act(const consent::Presented& act);
  [[nodiscard]] Result<> note(const EmergencyNote& note);
  [[nodiscard]] Result<> keep(const KeptShare& kept);
  [[nodiscard]] Result<KeptShare> give(const WantedRecord& wanted);
  // Errors: kNotFound; kRefused as consent::Gate::may_give_record says.
  [[nodiscard]] Result<KeptShare> give_under(const GrantedRecord& granted);
  [[nodiscard]] Result<> forget(const ObjectId& object);
  [[nodiscard]] std::uint64_t count() const { return safe_.count(); }
  // What this site's log says about a person: what was released of theirs and refused, and what
  // became of their cards and consents. A page of it. Errors: kIo, kCorrupt.
  [[nodiscard]] Result<AccessPage> accesses(const WantedAccesses& wanted);

 private:
  control::SiteContext& site_;
  RecordSafe& safe_;
};

}  // namespace warifu::custody
