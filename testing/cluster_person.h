// The person of a simulated cluster, with a card, and the staff at the control site: what they do
// at its desks, as the commands of apps/ do it over the local API.
//
// The card is the emulated one on a disk of its own, which does not fail. Thread rule: inside a
// Schedule; ceremonies at the card one after the other, whoever calls.
#pragma once

#include <mutex>

#include "card/consent_profile.h"
#include "card/emulator.h"
#include "testing/cluster.h"

namespace warifu::sim {

class ClusterPerson {
 public:
  // `card_disk` must outlive it.
  explicit ClusterPerson(SimDisk& card_disk) : card_disk_(card_disk) {}

  // A blank card becomes this person's. Errors: the site's, the card's.
  [[nodiscard]] Result<> enrol(ClusterSite& control);
  // Uploads; the job goes on by itself. Errors: those of the store desk.
  [[nodiscard]] Result<control::StoreTicket> upload(ClusterSite& control, ByteView plain,
                                                    const std::string& label) const;
  // Learns under which name the catalog knows the card now. Errors: it does not know it.
  [[nodiscard]] Result<> find_name(ClusterSite& control);
  // Loads what the card has to know of a committed object.
  [[nodiscard]] Result<> load_record(ClusterSite& control, const ObjectId& object);
  // The whole ceremony: some restores of the object are allowed.
  [[nodiscard]] Result<GrantId> consent(ClusterSite& control, const ObjectId& object);
  // All bytes of the object under that consent.
  [[nodiscard]] static Result<Bytes> restore(ClusterSite& control, const ObjectId& object,
                                             const GrantId& grant);
  // Other one-time keys from a site that has lost those of the card.
  [[nodiscard]] Result<> renew_card(ClusterSite& control, const SiteName& site);

 private:
  struct Terminal {
    std::unique_ptr<card::EmulatedCard> transport;
    std::unique_ptr<card::Session> session;
    std::unique_ptr<card::ConsentCard> card;
  };
  Result<Terminal> open_card(bool blank);

  SimDisk& card_disk_;
  std::string name_ = "P-1";  // after a rebuild from shares alone it is another one
  std::mutex mutex_;
};

}  // namespace warifu::sim
