// Withdrawal, hot list and re-issue: written down first, then told.
#include "custody/card_desk.h"

#include <algorithm>

#include "base/log.h"

namespace warifu::custody {
namespace {
constexpr std::chrono::seconds kTellInterval(15);

bool is_silence(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kOutOfKey;
}

}  // namespace

void CardDesk::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void CardDesk::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void CardDesk::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kTellInterval, [] { return false; });
    lock.unlock();
    if (stop.stop_requested()) return;
    if (const auto told = tell_all(); !told) log_warning(told.error().message);
    if (also_) also_();
  }
}

std::vector<SiteName> CardDesk::all_sites() const {
  std::vector<SiteName> sites;
  for (const config::SiteEntry& entry : site_.config.sites) sites.push_back(entry.name);
  return sites;
}

Result<> CardDesk::tell(const catalog::CardOrder& order) {
  const bool own = order.site == site_.config.name;
  if (order.kind == catalog::CardOrderKind::kRevoke) {
    if (own) return own_.revoke(order.card);
    TRY(site_.caller.ask(order.site, number(Method::kRevoke), encode(order.card)));
    return {};
  }
  const WithdrawOrder withdrawal{order.card, order.grant, order.expiry};
  if (own) return own_.withdraw(withdrawal);
  TRY(site_.caller.ask(order.site, number(Method::kWithdraw), encode(withdrawal)));
  return {};
}

Result<std::vector<std::pair<catalog::CardOrder, std::string>>> CardDesk::tell_all() {
  const std::lock_guard lock(telling_);
  TRY_ASSIGN(const auto orders, catalog_.card_orders());
  std::vector<std::pair<catalog::CardOrder, std::string>> waiting;
  std::map<SiteName, std::string> silent;  // asked once a round
  for (const catalog::CardOrder& order : orders) {
    if (const auto known = silent.find(order.site); known != silent.end()) {
      waiting.emplace_back(order, known->second);
      continue;
    }
    if (const auto told = tell(order); !told) {
      // A site that answers may take the next order: what it refuses of one card, whose list of
      // withdrawn consents is full, say, must not keep it from hearing that another was stolen.
      if (is_silence(told.error().code)) silent.emplace(order.site, told.error().message);
      waiting.emplace_back(order, told.error().message);
      continue;
    }
    TRY(catalog_.finish_card_order(order.number));
  }
  return waiting;
}

template <typename Match>
Result<Told> CardDesk::told_of(Match match) {
  TRY_ASSIGN(const auto waiting, tell_all());
  Told told;
  for (const auto& [order, why] : waiting) {
    if (match(order)) told.waiting.emplace_back(order.site, why);
  }
  for (const SiteName& site : all_sites()) {
    const auto waits = [&](const auto& entry) { return entry.first == site; };
    if (std::ranges::none_of(told.waiting, waits)) told.sites.push_back(site);
  }
  return told;
}

Result<Told> CardDesk::withdraw(const GrantId& grant) {
  TRY_ASSIGN(const catalog::Grant record, catalog_.grant(grant));
  TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(record.grant_bytes));
  if (record.state == catalog::GrantState::kGiven) {
    // Whatever fails from here on: nothing is restored with it at this site any more.
    TRY(site_.log.append("withdrawal",
                         {{"grant", grant.text()}, {"object", record.object.text()}}));
  }
  const auto sites = all_sites();
  TRY(catalog_.withdraw_grant(grant, parsed.card, sites, site_.system.clock.now()));
  return told_of([&](const catalog::CardOrder& order) { return order.grant == grant; });
}

Result<> CardDesk::note_refusal(const ObjectId& object, const std::string& purpose,
                                const std::string& grantee) {
  TRY(catalog_.object(object));
  return site_.log.append("consent_refused",
                          {{"object", object.text()}, {"purpose", purpose}, {"grantee", grantee}});
}

Result<Told> CardDesk::revoke(const CardId& card, const std::string& why) {
  const auto person = catalog_.person_of_card(card);
  if (person) {
    TRY(site_.log.append("revocation", {{"card", card.text()}, {"why", why}}));
    const auto sites = all_sites();
    TRY(catalog_.revoke_card({.card = card,
                              .person_id = person->person_id,
                              .revoked = site_.system.clock.now(),
                              .why = why},
                             sites));
  } else {
    TRY_ASSIGN(const auto waiting, catalog_.card_orders());
    const auto known = [&](const catalog::CardOrder& order) { return order.card == card; };
    if (std::ranges::none_of(waiting, known)) return std::unexpected(person.error());
  }
  return told_of([&](const catalog::CardOrder& order) {
    return order.kind == catalog::CardOrderKind::kRevoke && order.card == card;
  });
}

std::vector<ReissueState> CardDesk::reissue_states(const CardId& card) {
  std::vector<ReissueState> states;
  for (const SiteName& site : all_sites()) {
    const auto ask = [&]() -> Result<consent::LostCard> {
      if (site == site_.config.name) return own_.lost_card(card);
      TRY_ASSIGN(const Bytes answer,
                 site_.caller.ask(site, number(Method::kLostCard), encode(card)));
      return decode_lost(answer);
    };
    ReissueState state{.site = site, .lost = {}, .why = {}};
    if (const auto lost = ask()) {
      state.lost = *lost;
    } else {
      state.why = lost.error();
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<> CardDesk::check_revoked(const std::string& person) {
  TRY_ASSIGN(const catalog::Person known, catalog_.person(person));
  TRY_ASSIGN(const auto revoked, catalog_.revoked_cards(person));
  if (std::ranges::find(revoked, known.card, &catalog::RevokedCard::card) == revoked.end()) {
    return fail(Code::kInvalidArgument, "the card of '" + person +
                                            "' is not revoked: revoke it first, with 'warifu card "
                                            "revoke'");
  }
  return {};
}

Result<control::CardContent> CardDesk::begin_reissue(const std::string& person,
                                                     std::uint32_t keys_per_site) {
  TRY(check_revoked(person));
  return enrolment_.begin_again(person, keys_per_site);
}

Result<control::SignedPerson> CardDesk::reissue_signed(const std::string& person,
                                                       const control::SignatureCard& card) {
  TRY(check_revoked(person));
  TRY_ASSIGN(control::SignedPerson enrolled, enrolment_.enrol_signed_again(person, card));
  records_.wake();
  return enrolled;
}

Result<> CardDesk::finish_reissue(const std::string& person, const CardId& card) {
  TRY(enrolment_.finish_again(person, card));
  records_.wake();
  return {};
}

}  // namespace warifu::custody
