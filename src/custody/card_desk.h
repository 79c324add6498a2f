// Cards and consents over their lives, at the control site: a consent is withdrawn, a card goes on
// every site's hot list, another card takes the place of a lost one.
//
// What the person decides is written down with the sites that have still to be told, in one step
// (catalog::card_orders); then every site is told until it has confirmed, by a thread between
// start() and stop(). A site that is not told yet still honours the consent or the card: the
// answers say which. Withdrawing and revoking need no proof, because they only take away: a rooted
// control site could as well refuse to ask. A new card needs the leave of an officer at every site,
// and each gate's delay after its own hot listing (consent::Gate::enrol). Thread-safe.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "control/enrolment.h"
#include "custody/access_view.h"
#include "custody/record_keeper.h"

namespace warifu::custody {

// Who has heard of a withdrawal or revocation.
struct Told {
  std::vector<SiteName> sites;                            // have confirmed
  std::vector<std::pair<SiteName, std::string>> waiting;  // will be told again: why not yet
};

// What a site says about another card in the place of a lost one.
struct ReissueState {
  SiteName site;
  std::optional<consent::LostCard> lost;  // none: it does not know of the loss, or does not answer
  std::optional<Error> why;               // then
};

class CardDesk {
 public:
  CardDesk(control::SiteContext& site, catalog::Catalog& catalog, CustodyService& own,
           control::Enrolment& enrolment, RecordKeeper& records)
      : site_(site), catalog_(catalog), own_(own), enrolment_(enrolment), records_(records) {}
  ~CardDesk() { stop(); }

  // Called in every round of telling, by the same thread. Before start().
  void set_also(std::function<void()> also) { also_ = std::move(also); }
  void start();
  void stop();

  // Errors: kNotFound, kInvalidArgument (it has expired); again: tells those that wait.
  [[nodiscard]] Result<Told> withdraw(const GrantId& grant);
  // The person said no to what was asked: nothing changes, the log has it.
  [[nodiscard]] Result<> note_refusal(const ObjectId& object, const std::string& purpose,
                                      const std::string& grantee);
  // The card that the person has now, or had: by its id. Errors: kNotFound (nobody's card).
  [[nodiscard]] Result<Told> revoke(const CardId& card, const std::string& why);
  // When another card may come in the place of this one, by every site. Costs some key.
  [[nodiscard]] std::vector<ReissueState> reissue_states(const CardId& card);
  // Another card for a person whose card is revoked: keys from every site.
  // Errors: kNotFound; kInvalidArgument (the person's card is not revoked); kRefused naming the
  // site that does not allow it, or not yet; kUnavailable naming a site.
  [[nodiscard]] Result<control::CardContent> begin_reissue(const std::string& person,
                                                           std::uint32_t keys_per_site);
  // The same with a signature card, which is the person's from here on. Errors: the same, and
  // kAlreadyExists (it is somebody's), kRefused naming a site that does not trust it.
  [[nodiscard]] Result<control::SignedPerson> reissue_signed(const std::string& person,
                                                             const control::SignatureCard& card);
  // The card is loaded: it is the person's from here on. Errors: kNotFound.
  [[nodiscard]] Result<> finish_reissue(const std::string& person, const CardId& card);
  // What every site's log says about the person. Errors: kNotFound.
  [[nodiscard]] Result<AccessView> accesses(const std::string& person) {
    return accesses_of(site_, catalog_, own_, person);
  }
  // What has still to be told to whom.
  [[nodiscard]] Result<std::vector<catalog::CardOrder>> waiting() { return catalog_.card_orders(); }

 private:
  Result<> check_revoked(const std::string& person);
  Result<> tell(const catalog::CardOrder& order);
  // Tells all that wait, of one grant or card if given; who has not heard and why.
  Result<std::vector<std::pair<catalog::CardOrder, std::string>>> tell_all();
  template <typename Match>
  Result<Told> told_of(Match match);
  [[nodiscard]] std::vector<SiteName> all_sites() const;
  void run(const std::stop_token& stop);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  CustodyService& own_;
  control::Enrolment& enrolment_;
  RecordKeeper& records_;
  std::function<void()> also_;
  std::mutex telling_;  // one at a time
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace warifu::custody
