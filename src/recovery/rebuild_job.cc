// Listing, then settling one object after the other.
#include "recovery/rebuild_job.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/card_ceremonies.h"
#include "control/share_facts.h"
#include "control/share_tree.h"
#include "recovery/recovery_service.h"
#include "wire/wire.h"

namespace warifu::recovery {
namespace {

namespace json = boost::json;

constexpr const char* kOutOfOrder = " lists in no order";
constexpr const char* kInterrupted = "the job is interrupted";
constexpr std::size_t kMostReasons = 1000;  // are told

Bytes cursor(ByteView id) {
  return {id.begin(), id.end()};
}

// Tried again by the next rebuild, not by this one.
std::unexpected<Error> refuse_busy(const std::string& why) {
  return fail(Code::kRefused, why + "; rebuild again later");
}

json::array reasons(const auto& list) {
  json::array all;
  for (const auto& [what, why] : list) all.push_back({{"name", what.text()}, {"why", why}});
  return all;
}

}  // namespace

Result<> RebuildJob::list_site(const SiteName& at) {
  control::SiteContext& site = engine_.site();
  for (ShareId after;;) {
    if (must_stop()) return fail(Code::kCancelled, kInterrupted);
    FoundPage page;
    if (at == site.config.name) {
      TRY_ASSIGN(page, found_shares(site, after));
    } else {
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(at, number(Method::kShareHeaders), cursor(after.view())));
      TRY_ASSIGN(page, decode_found_page(answer));
    }
    for (FoundShare& found : page.shares) {
      if (found.spec.share <= after) return fail(Code::kProtocol, at.text() + kOutOfOrder);
      found.site = at;
      after = found.spec.share;
      shares_[found.spec.object].push_back(std::move(found));
    }
    if (!page.more || page.shares.empty()) return {};
  }
}

Result<> RebuildJob::list_sightings(const SiteName& at) {
  TRY_ASSIGN(const auto noted,
             control::sightings_at(engine_.site(), engine_.own().sightings(), at));
  for (const control::NotedSighting& one : noted) sightings_[one.object].push_back(one);
  return {};
}

// What was seen of the generation that is in use still tells something.
void RebuildJob::add_sightings(Verdict& verdict) const {
  const auto noted = sightings_.find(verdict.found.object.object);
  if (noted == sightings_.end()) return;
  for (const control::NotedSighting& one : noted->second) {
    if (one.generation != verdict.found.object.generation) continue;
    verdict.found.sightings.push_back({one.site, one.place});
  }
}

Result<> RebuildJob::list_cards(const SiteName& at) {
  control::SiteContext& site = engine_.site();
  for (CardId after;;) {
    if (must_stop()) return fail(Code::kCancelled, kInterrupted);
    CardPage page;
    if (at == site.config.name) {
      page = found_cards(site, after);
    } else {
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(at, number(Method::kCards), cursor(after.view())));
      TRY_ASSIGN(page, decode_card_page(answer));
    }
    for (const FoundCard& found : page.cards) {
      if (found.card <= after) return fail(Code::kProtocol, at.text() + kOutOfOrder);
      after = found.card;
      cards_[{at, found.person}] = found.card;
      pseudonyms_[found.card][at] = found.person;
    }
    if (!page.more || page.cards.empty()) return {};
  }
}

Result<> RebuildJob::run() {
  // What waits to be deleted may be found to be of use.
  const std::lock_guard quiet(engine_.deletions());
  TRY(load_job());
  TRY(save(catalog::JobState::kRunning, "list"));
  began_ = engine_.site().system.clock.now();
  for (const config::SiteEntry& entry : engine_.site().config.sites) {
    if (must_stop()) return fail(Code::kCancelled, kInterrupted);
    auto listed = list_site(entry.name);
    if (listed) listed = list_sightings(entry.name);
    if (!listed) {
      silent_.emplace_back(entry.name, listed.error().message);
      continue;
    }
    if (const auto cards = list_cards(entry.name); !cards) {
      without_leave_.emplace_back(entry.name, cards.error().message);
    }
  }
  job_.total_bytes = shares_.size();
  TRY(save(catalog::JobState::kRunning, "settle"));
  TRY(settle_objects());
  TRY(find_gone());
  TRY(engine_.site().log.append("catalog_rebuilt", {{"objects", std::to_string(count_.objects)},
                                                    {"added", std::to_string(count_.added)},
                                                    {"unsettled", std::to_string(count_.unsettled)},
                                                    {"gone", std::to_string(count_.gone)}}));
  job_.result = result();
  return finish();
}

Result<> RebuildJob::settle_objects() {
  for (const auto& [object, shares] : shares_) {
    if (must_stop()) return fail(Code::kCancelled, kInterrupted);
    const auto settled = settle_object(object);
    if (!settled && control::may_pass(settled.error().code)) return settled;
    if (!settled) ++count_.unsettled;
    if (!settled && unsettled_.size() < kMostReasons) {
      unsettled_.emplace_back(object, settled.error().message);
    }
    if (++job_.progress_bytes % 100 == 0) TRY(save(catalog::JobState::kRunning, "settle"));
  }
  return {};
}

Result<> RebuildJob::settle_object(const ObjectId& object) {
  catalog::Catalog& catalog = engine_.catalog();
  const auto known = catalog.object(object);
  if (!known && known.error().code != Code::kNotFound) return std::unexpected(known.error());
  if (known) {
    TRY(learn_pseudonyms(known->person_id, object));
    TRY(check_idle(object));
  }
  TRY_ASSIGN(Verdict verdict, known ? judge(*known) : judge_unknown(evidence_of(object)));
  if (!known) {
    TRY_ASSIGN(verdict.found.object.person_id, person_of(verdict.owner));
    TRY(learn_pseudonyms(verdict.found.object.person_id, object));
  }
  add_sightings(verdict);
  const auto settled = catalog.settle_found(verdict.found, job_id_);
  if (!settled && settled.error().code == Code::kBusy) return refuse_busy(settled.error().message);
  TRY(settled);
  TRY(count_record(object));
  ++count_.objects;
  count_.added += known ? 0U : 1U;
  count_.lost_shares += verdict.lost;
  count_.spare_shares += verdict.spare;
  TRY_ASSIGN(const auto tree, control::ShareTree::read(catalog, object));
  count_.uncut += tree.uncut().empty() ? 0U : 1U;
  return {};
}

// What is not known of its card record has to be told: somebody must look, or rely on less.
Result<> RebuildJob::count_record(const ObjectId& id) {
  TRY_ASSIGN(const catalog::Object object, engine_.catalog().object(id));
  if (object.state != catalog::ObjectState::kCommitted) return {};
  if (object.card_record == catalog::CardRecordState::kUnknown) ++count_.unknown_records;
  const auto kept = control::kept_record(engine_.site(), engine_.catalog(), object);
  if (kept && !sharing::is_known(kept->record.tag)) ++count_.without_tag;
  return {};
}

Evidence RebuildJob::evidence_of(const ObjectId& object) const {
  Evidence evidence{.shown = shares_.at(object), .silent = {}, .unreadable = {}, .own = own_name()};
  for (const auto& [site, why] : silent_) evidence.silent.insert(site);
  return evidence;
}

// What nobody shows may be there and not readable: its site is asked for it by name.
Result<Verdict> RebuildJob::judge(const catalog::Object& known) {
  TRY_ASSIGN(const auto rows, engine_.catalog().list_shares(known.object));
  Evidence evidence = evidence_of(known.object);
  for (const catalog::Share& share : to_be_asked(rows, evidence)) {
    const auto facts = control::facts_at(engine_.site(), *share.site, {&share.share, 1});
    if (!facts) {
      evidence.silent.insert(*share.site);
    } else if (facts->at(share.share).presence != control::Presence::kAbsent) {
      evidence.unreadable.insert(share.share);
    }
  }
  return judge_known(known, rows, evidence);
}

bool RebuildJob::is_silent(const SiteName& site) const {
  return std::ranges::find(silent_, site, &std::pair<SiteName, std::string>::first) !=
         silent_.end();
}

Result<> RebuildJob::find_gone() {
  for (catalog::Page page{.count = catalog::kMaxPageRows};; page.skip += page.count) {
    if (must_stop()) return fail(Code::kCancelled, kInterrupted);
    TRY_ASSIGN(const auto objects,
               engine_.catalog().list_objects({.state = catalog::ObjectState::kCommitted}, page));
    for (const catalog::Object& object : objects) {
      if (shares_.contains(object.object)) continue;
      TRY_ASSIGN(const auto rows, engine_.catalog().list_shares(object.object));
      const bool may_be_there = std::ranges::any_of(rows, [&](const catalog::Share& share) {
        return share.state == catalog::ShareState::kDurable && share.site && is_silent(*share.site);
      });
      if (may_be_there) continue;
      ++count_.gone;
      if (gone_.size() < kMostReasons) {
        gone_.emplace_back(object.object, "no site shows a share: deleted since the copy, or lost");
      }
    }
    if (objects.size() < page.count) return {};
  }
}

Result<> RebuildJob::check_idle(const ObjectId& object) {
  TRY_ASSIGN(const auto jobs,
             engine_.catalog().list_jobs({.object = object}, {.count = catalog::kMaxPageRows}));
  for (const catalog::Job& job : jobs) {
    if (job.kind == catalog::JobKind::kRestore) continue;
    if (catalog::is_finished(job.state) && job.updated.value <= began_.value) continue;
    return refuse_busy("job " + job.job.text() + " works on it");
  }
  return {};
}

Result<std::string> RebuildJob::person_of(const std::map<SiteName, Pseudonym>& owner) {
  std::optional<std::string> known;
  for (const auto& [site, pseudonym] : owner) {
    const auto person = engine_.catalog().person_of_pseudonym({site, pseudonym});
    if (!person && person.error().code != Code::kNotFound) return std::unexpected(person.error());
    if (!person) continue;
    if (known && *known != person->person_id) {
      return fail(Code::kRefused, "its sites name different persons as its owner");
    }
    known = person->person_id;
  }
  if (known) return *known;
  return add_person(owner);
}

// From a site that did not answer, or gave no leave, when its person was found.
Result<> RebuildJob::learn_pseudonyms(const std::string& person_id, const ObjectId& object) {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(const catalog::Person person, catalog.person(person_id));
  TRY_ASSIGN(const auto known, catalog.pseudonyms(person_id));
  std::map<SiteName, Pseudonym> told;
  if (const auto gates = pseudonyms_.find(person.card); gates != pseudonyms_.end()) {
    told = gates->second;
  }
  for (const FoundShare& share : shares_.at(object)) {
    if (!share.spec.owner.is_zero()) told.try_emplace(share.site, share.spec.owner);
  }
  for (const auto& [site, pseudonym] : told) {
    if (std::ranges::find(known, site, &catalog::SitePseudonym::site) != known.end()) continue;
    const auto learnt = catalog.set_pseudonym(person_id, {site, pseudonym});
    // What another person is called there is a mistake of that site, or a lie.
    if (!learnt && learnt.error().code != Code::kAlreadyExists) return learnt;
  }
  return {};
}

Result<std::string> RebuildJob::add_person(const std::map<SiteName, Pseudonym>& owner) {
  catalog::Catalog& catalog = engine_.catalog();
  std::map<SiteName, Pseudonym> all = owner;
  CardId card;
  for (const auto& [site, pseudonym] : owner) {
    const auto found = cards_.find({site, pseudonym});
    if (found == cards_.end()) continue;
    card = found->second;
    all.insert(pseudonyms_[card].begin(), pseudonyms_[card].end());
    break;
  }
  if (card.is_zero()) {
    return fail(Code::kRefused,
                "it is no known person's, and no gate that gave its cards knows "
                "whose: allow this at the sites and rebuild again");
  }
  // What the person was called here burnt with this site's gate; the card can be renewed for it.
  control::SiteContext& own = engine_.site();
  all.try_emplace(own.config.name, os::random_id<Pseudonym>(own.system.random));
  std::vector<catalog::SitePseudonym> pseudonyms;
  for (const auto& [site, pseudonym] : all) pseudonyms.push_back({site, pseudonym});
  const std::string id = "found-" + card.text().substr(0, 16);
  const auto added = catalog.enrol_person(
      {.person_id = id, .name = id, .card = card, .created = own.system.clock.now()}, pseudonyms);
  if (!added && added.error().code != Code::kAlreadyExists) return std::unexpected(added.error());
  ++count_.persons;
  return id;
}

std::string RebuildJob::result() const {
  return json::serialize(json::object{{"objects", count_.objects},
                                      {"added", count_.added},
                                      {"persons_added", count_.persons},
                                      {"lost_shares", count_.lost_shares},
                                      {"spare_shares", count_.spare_shares},
                                      {"unknown_records", count_.unknown_records},
                                      {"without_tag", count_.without_tag},
                                      {"uncut", count_.uncut},
                                      {"unsettled_objects", count_.unsettled},
                                      {"unsettled", reasons(unsettled_)},
                                      {"gone_objects", count_.gone},
                                      {"gone", reasons(gone_)},
                                      {"silent", reasons(silent_)},
                                      {"without_leave", reasons(without_leave_)}});
}

}  // namespace warifu::recovery
