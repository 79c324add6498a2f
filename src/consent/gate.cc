// The gate: durable state, audit, permits.
#include "consent/gate.h"

#include <algorithm>

#include "base/log.h"
#include "base/reason.h"
#include "consent/gate_files.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kSuffix = ".card";
constexpr std::int64_t kKeepExpiredMs = 24 * 3600 * 1000;

std::string cards_folder(const std::string& folder) {
  return folder + "/cards";
}

}  // namespace

Gate::Gate(const os::System& system, std::string folder, const SiteName& site,
           const secret::Buffer& root_key, audit::Log& log, const GateOptions& options)
    : system_(system),
      folder_(std::move(folder)),
      site_(site),
      root_(secret::Buffer::copy_of(root_key.bytes())),
      log_(log),
      options_(options) {}

std::optional<Refusal> Permit::bar(const ObjectId& object, const SiteName& destination,
                                   os::UnixMs now) const {
  if (object != object_) {
    return Refusal{Reason::kOtherObject,
                   "the leave is for object " + object_.text() + ", asked for is " + object.text()};
  }
  if (destination != destination_) {
    return Refusal{Reason::kOtherDestination, "the leave is for '" + destination_.text() +
                                                  "', not for '" + destination.text() + "'"};
  }
  if (now < expiry_) return std::nullopt;
  return Refusal{Reason::kExpired, "the consent expired while the share was being read"};
}

Result<std::unique_ptr<Gate>> Gate::open(const os::System& system, const std::string& folder,
                                         const SiteName& site, const secret::Buffer& root_key,
                                         audit::Log& log, const GateOptions& options) {
  WARIFU_CHECK(root_key.size() == crypto::kSealKeyBytes && !site.empty());
  TRY(self_test_once(options.decide, options.decide_act));
  std::unique_ptr<Gate> gate(new Gate(system, folder, site, root_key, log, options));
  TRY(os::make_folder(system.files, folder));
  TRY_ASSIGN(gate->lock_, system.files.lock_directory(folder));
  TRY(gate->load());
  TRY(gate->load_people());
  TRY(log.append("gate_opened", {{"cards", std::to_string(gate->cards_.size())}}));
  return gate;
}

Result<> Gate::load() {
  return load_files(system_.files, cards_folder(folder_), "gate of site " + site_.text() + ": card",
                    kSuffix, [this](const std::string& name) -> Result<> {
                      TRY_ASSIGN(CardRecord record, read_card(name));
                      const CardId card = record.card;
                      cards_.emplace(card, std::move(record));
                      return {};
                    });
}

Result<CardRecord> Gate::read_card(const std::string& name) {
  TRY_ASSIGN(const Bytes bytes,
             os::read_file(system_.files, cards_folder(folder_) + "/" + name, kMaxCardFileBytes));
  TRY_ASSIGN(CardRecord record, parse_record(bytes));
  if (name != record.card.text() + std::string(kSuffix)) {
    return fail(Code::kCorrupt, "it is the record of card " + record.card.text());
  }
  if (!record.keys.empty()) {
    const auto& [index, sealed] = *record.keys.begin();
    TRY(open_key(root_, record.card, {index}, sealed));
  }
  if (record.own) TRY(open_application(root_, record.card, *record.own));
  return record;
}

Result<> Gate::save(CardRecord record) {
  const std::string path = cards_folder(folder_) + "/" + record.card.text() + std::string(kSuffix);
  TRY(os::replace_file(system_.files, path, encode_record(record)));
  const CardId card = record.card;
  cards_.insert_or_assign(card, std::move(record));
  return {};
}

CardRecord* Gate::find(const CardId& card) {
  const auto found = cards_.find(card);
  return found == cards_.end() ? nullptr : &found->second;
}

void Gate::forget_old(CardRecord& record, os::UnixMs now) const {
  std::erase_if(record.nonces, [&](const IssuedNonce& issued) {
    const std::int64_t age = now.value - issued.issued.value;
    return age < 0 || age >= options_.nonce_life.count();
  });
  // Their indices are burnt, so that a forgotten grant stays refused for ever.
  std::erase_if(record.grants, [&](const AcceptedGrant& accepted) {
    const auto grant = parse_grant(accepted.grant);
    return !grant || now.value - grant->expiry.value > kKeepExpiredMs;
  });
  std::erase_if(record.withdrawn, [&](const Withdrawal& withdrawal) {
    return now.value - withdrawal.until.value > kKeepExpiredMs;
  });
}

Result<card::SiteKeys> Gate::draw_keys(CardRecord& record, card::KeyRange keys) {
  if (!keys.is_valid() || keys.first <= record.last_used) {
    return fail(Code::kInvalidArgument,
                "site " + site_.text() + ": a range of 1 to 2000 unused indices is needed");
  }
  card::SiteKeys drawn{site_, secret::Buffer(keys.count * card::kOneTimeKeyBytes)};
  system_.random.fill(drawn.keys.bytes());
  record.keys.erase(record.keys.lower_bound(keys.first.value), record.keys.end());
  if (record.keys.size() + keys.count > card::kMaxKeysPerSite) {
    return fail(Code::kInvalidArgument, "site " + site_.text() + ": the card has enough keys");
  }
  for (std::uint32_t i = 0; i < keys.count; ++i) {
    const card::KeyIndex index{keys.first.value + i};
    const ByteView key =
        ByteView(drawn.keys.bytes()).subspan(i * card::kOneTimeKeyBytes, card::kOneTimeKeyBytes);
    record.keys.emplace(index.value, seal_key(root_, record.card, index, key, system_.random));
  }
  return drawn;
}

Result<> Gate::check_new_card(const CardId& card_id, const Pseudonym& person) {
  if (const CardRecord* known = find(card_id)) {
    if (known->revoked) {
      return fail(Code::kRefused,
                  "site " + site_.text() + ": card " + card_id.text() + " is on the hot list",
                  Reason::kRevoked);
    }
    return fail(Code::kAlreadyExists,
                "site " + site_.text() + ": card " + card_id.text() + " is enrolled already");
  }
  if (card_id.is_zero() || person.is_zero()) {
    return fail(Code::kInvalidArgument, "card and person must be named");
  }
  return {};
}

Result<card::SiteKeys> Gate::enrol(const Enrolment& enrolment) {
  const std::lock_guard lock(mutex_);
  if (card::is_proved_first(enrolment.kind)) {
    return fail(Code::kInvalidArgument,
                "site " + site_.text() + ": such a card has no one-time keys");
  }
  TRY(check_new_card(enrolment.card, enrolment.person));
  const os::UnixMs now = system_.clock.now();
  TRY_ASSIGN(const os::UnixMs records_until, check_reissue(enrolment.person, now));
  CardRecord record;
  record.card = enrolment.card;
  record.person = enrolment.person;
  record.kind = enrolment.kind;
  record.records_until = records_until;
  TRY_ASSIGN(card::SiteKeys drawn, draw_keys(record, enrolment.keys));
  record.last_used = {enrolment.keys.first.value - 1};
  TRY(log_.append("card_enrolled", {{"card", record.card.text()},
                                    {"person", record.person.text()},
                                    {"kind", std::string(card_kind_name(record.kind))},
                                    {"first_index", std::to_string(enrolment.keys.first.value)},
                                    {"keys", std::to_string(enrolment.keys.count)},
                                    {"again", records_until.value == 0 ? "no" : "yes"}}));
  TRY(replace_earlier(enrolment.person));
  TRY(save(std::move(record)));
  return drawn;
}

Result<Challenge> Gate::issue_nonce(const CardId& card) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known == nullptr || known->revoked) {
    return fail(known == nullptr ? Code::kNotFound : Code::kRefused,
                "site " + site_.text() + " refuses: card " + card.text() +
                    (known == nullptr ? " is not enrolled here" : " is on the hot list"),
                known == nullptr ? Reason::kUnknownCard : Reason::kRevoked);
  }
  if (known->own && !known->own->is_active) {
    return fail(Code::kRefused, "site " + site_.text() + " refuses: the enrolment of card " +
                                    card.text() + " is not finished");
  }
  CardRecord record = *known;
  const os::UnixMs now = system_.clock.now();
  forget_old(record, now);
  if (record.nonces.size() >= kMaxNonces) record.nonces.erase(record.nonces.begin());
  Challenge challenge{os::random_id<Nonce>(system_.random), {record.last_used.value + 1}};
  if (const PersonRecord* person = find_person(record.person)) {
    challenge.untold = person->untold(now);
  }
  record.nonces.push_back({challenge.nonce, now});
  TRY(save(std::move(record)));
  return challenge;
}

std::vector<std::pair<CardId, Pseudonym>> Gate::enrolled(const CardId& after, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<CardId, Pseudonym>> cards;
  for (auto it = cards_.upper_bound(after); it != cards_.end() && cards.size() < most; ++it) {
    const CardRecord& record = it->second;
    const bool is_begun = record.own && !record.own->is_active;
    if (!record.revoked && !is_begun) cards.emplace_back(it->first, record.person);
  }
  return cards;
}

bool Gate::is_held_back(const CardId& card) {
  const auto found = failures_.find(card);
  return found != failures_.end() && system_.clock.monotonic() < found->second.held_until;
}

bool Gate::has_accepted(const CardId& card, ByteView grant) {
  const CardRecord* record = find(card);
  return record != nullptr && std::ranges::any_of(record->grants, [&](const AcceptedGrant& one) {
           return std::ranges::equal(one.grant, grant);
         });
}

void Gate::count_wrong_tag(const CardId& card) {
  Failures& failures = failures_[card];
  const std::chrono::nanoseconds now = system_.clock.monotonic();
  std::erase_if(failures.times, [&](auto time) { return now - time >= options_.failure_window; });
  failures.times.push_back(now);
  if (failures.times.size() >= options_.failures_allowed) {
    failures.held_until = now + options_.failure_window;
    failures.times.clear();
    log_warning("gate of site " + site_.text() + ": too many wrong tags for card " + card.text());
  }
}

std::unexpected<Error> Gate::refuse(const Refusal& refusal, ByteView grant_bytes,
                                    const ReleaseRequest& request) {
  audit::Fields fields = {{"reason", std::string(reason_name(refusal.reason))},
                          {"text", refusal.text},
                          {"object", request.object.text()},
                          {"destination", request.destination.text()},
                          {"session", request.session.text()}};
  if (!request.grantee.name.empty()) {
    fields.emplace_back("grantee", request.grantee.name);
    fields.emplace_back("stated_use", statements_text(request.stated));
    fields.emplace_back("scope", scope_text(request.scope));
  }
  if (const auto grant = parse_grant(grant_bytes)) {
    fields.emplace_back("grant", grant_id(grant_bytes).text());
    fields.emplace_back("card", grant->card.text());
    fields.emplace_back("index", std::to_string(grant->index.value));
  }
  std::string message = "site " + site_.text() + " refuses: " + refusal.text;
  if (const auto logged = log_.append("refused", fields); !logged) {
    log_error("gate of site " + site_.text() + ": refusal not logged: " + logged.error().message);
    message += " (and the refusal could not be logged)";
  }
  return fail(Code::kRefused, std::move(message), refusal.reason);
}

Result<> Gate::log_release(std::span<const Outcome> outcomes, std::size_t which,
                           const Presented& presented, const ReleaseRequest& request,
                           std::uint16_t uses_left) {
  const Outcome& outcome = outcomes[which];
  const Grant& grant = outcome.grant;
  audit::Fields fields = {{"grant", grant_id(presented.grant).text()},
                          {"card", grant.card.text()},
                          {"kind", std::string(card_kind_name(presented.evidence.kind))},
                          {"security", std::string(evidence_class(presented.evidence.kind))},
                          {"person", request.owner.text()},
                          {"object", grant.object.text()},
                          {"destination", grant.destination.text()},
                          {"purpose", std::string(purpose_name(grant.purpose))},
                          {"grantee", grant.grantee.name},
                          {"grantee_kind", std::string(grantee_kind_name(grant.grantee.kind))},
                          {"scope", scope_text(request.scope)},
                          {"terminal", grant.terminal},
                          {"index", std::to_string(grant.index.value)},
                          {"session", request.session.text()},
                          {"use", std::to_string(request.use)},
                          {"step", std::string(step_name(outcome.step))},
                          {"uses_left", std::to_string(uses_left)}};
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) fields.emplace_back(name, std::move(value));
  };
  add("grantee_id", grant.grantee.identifier);
  add("data_use", data_uses_text(grant.data_uses));
  add("stated_use", statements_text(request.stated));
  if (grant.capacity != Capacity::kOwn) {
    add("capacity", std::string(capacity_name(grant.capacity)));
    add("together", std::to_string(grant.together));
  }
  if (grant.capacity != Capacity::kEmergency) return log_.append("release", fields);
  std::vector<CardId> officers;
  for (const Outcome& one : outcomes) officers.push_back(one.grant.card);
  add("emergency", grant.joint.text());
  add("emergency_reason", grant.reason);
  add("officers", cards_text(officers));
  return log_.append("emergency_release", fields);
}

Inquiry Gate::inquiry_of(const Presented& presented, const Grant& named,
                         const ReleaseRequest& request) {
  return {site_,
          root_,
          find(named.card),
          presented.grant,
          presented.evidence,
          request,
          system_.clock.now(),
          options_.nonce_life,
          is_held_back(named.card),
          find_person(request.owner),
          options_.break_glass ? &*options_.break_glass : nullptr};
}

// Every use is taken before anything is logged as released: after a failure in between the same
// session goes on where it stood.
Result<Permit> Gate::release(std::span<const Outcome> outcomes,
                             std::span<const Presented> presented, const ReleaseRequest& request) {
  std::vector<std::uint16_t> left;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Inquiry inquiry = inquiry_of(presented[i], outcomes[i].grant, request);
    CardRecord record = *inquiry.record;
    apply(outcomes[i], inquiry, record);
    left.push_back(outcomes[i].step == Step::kAccept
                       ? record.grants.back().uses_left
                       : record.grants.at(outcomes[i].accepted).uses_left);
    if (outcomes[i].step == Step::kResume) continue;
    forget_old(record, inquiry.now);
    const Pseudonym person = record.person;
    TRY(save(std::move(record)));
    if (outcomes[i].step == Step::kAccept) TRY(note_told(outcomes[i].grant, person));
  }
  TRY(note_opened(outcomes, request.owner));
  std::vector<PermitBasis> bases;
  os::UnixMs expiry = outcomes.front().grant.expiry;
  const PersonRecord* owner = find_person(request.owner);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Grant& grant = outcomes[i].grant;
    TRY(log_release(outcomes, i, presented[i], request, left[i]));
    const Acting acting{find(grant.card)->person, grant.capacity, grant.together, grant.purpose,
                        grant.object};
    expiry = std::min(expiry, latest_end(acting, owner, grant.expiry));
    bases.push_back({grant_id(presented[i].grant), grant.card, acting});
  }
  return Permit(std::move(bases), request, expiry);
}

Result<Permit> Gate::request_release(ByteView grant, const Evidence& evidence,
                                     const ReleaseRequest& request) {
  const Presented one{Bytes(grant.begin(), grant.end()), evidence};
  return request_release({&one, 1}, request);
}

std::unexpected<Error> Gate::turn_down(const Refusal& refusal, const Presented& presented,
                                       const ReleaseRequest& request) {
  const CardId card = parse_grant(presented.grant).value_or(Grant()).card;
  if (refusal.reason == Reason::kWrongTag && !has_accepted(card, presented.grant)) {
    count_wrong_tag(card);
  }
  return refuse(refusal, presented.grant, request);
}

Result<> Gate::would_release(const Presented& presented, const Pseudonym& owner) {
  const std::lock_guard lock(mutex_);
  const Grant named = parse_grant(presented.grant).value_or(Grant());
  // As of its record, which takes no use: who asks, and for what, is not known yet.
  const ReleaseRequest request{.object = named.object,
                               .owner = owner,
                               .destination = named.destination,
                               .purpose = named.purpose,
                               .is_record = true};
  const Decision decision = options_.decide(inquiry_of(presented, named, request));
  if (!decision) return turn_down(decision.error(), presented, request);
  return {};
}

Result<std::vector<Outcome>> Gate::judge(std::span<const Presented> presented,
                                         const ReleaseRequest& request) {
  std::vector<Outcome> outcomes;
  std::vector<Grant> grants;
  std::vector<Pseudonym> persons;
  if (presented.empty() || presented.size() > kMaxGuardians) {
    return refuse({Reason::kNotTogether, "one to four grants are shown together"}, {}, request);
  }
  for (const Presented& one : presented) {
    const Grant named = parse_grant(one.grant).value_or(Grant());
    auto decision = options_.decide(inquiry_of(one, named, request));
    if (!decision) return turn_down(decision.error(), one, request);
    grants.push_back(decision->grant);
    persons.push_back(find(named.card)->person);
    outcomes.push_back(std::move(*decision));
  }
  if (const auto refusal = why_not_together(grants, persons)) {
    return refuse(*refusal, presented.front().grant, request);
  }
  return outcomes;
}

Result<Permit> Gate::request_release(std::span<const Presented> presented,
                                     const ReleaseRequest& request) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const std::vector<Outcome> outcomes, judge(presented, request));
  auto permit = release(outcomes, presented, request);
  if (!permit) {
    return fail_in("site " + site_.text() + " releases nothing", permit.error());
  }
  for (const Outcome& outcome : outcomes) failures_.erase(outcome.grant.card);
  return permit;
}

Result<std::uint32_t> Gate::keys_left(const CardId& card) {
  const std::lock_guard lock(mutex_);
  const CardRecord* known = find(card);
  if (known == nullptr) {
    return fail(Code::kNotFound,
                "site " + site_.text() + ": card " + card.text() + " is not enrolled");
  }
  return static_cast<std::uint32_t>(known->keys.size());
}

}  // namespace warifu::consent
