// Requests: checked as a consent would be, kept as JSON.
#include "control/request_desk.h"

#include <boost/json.hpp>

#include "audit/actor.h"
#include "base/reason.h"

namespace warifu::control {
namespace {

namespace json = boost::json;

json::array texts(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

std::string terms_json(const RequestTerms& terms) {
  return json::serialize(json::object{{"purpose", terms.purpose},
                                      {"grantee", terms.grantee},
                                      {"grantee_id", terms.grantee_id},
                                      {"destination", terms.destination},
                                      {"data_use", texts(terms.data_use)},
                                      {"regions", texts(terms.regions)},
                                      {"decoys", terms.decoys},
                                      {"uses", terms.uses},
                                      {"valid_seconds", terms.valid.count()}});
}

bool read_text(const json::object& object, const char* name, std::string& out) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return false;
  out = std::string(value->get_string());
  return true;
}

bool read_list(const json::object& object, const char* name, std::vector<std::string>& out) {
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return false;
  for (const json::value& one : list->get_array()) {
    if (!one.is_string()) return false;
    out.emplace_back(one.get_string());
  }
  return true;
}

// `out` stays where the field is not there, which `may_lack` allows.
template <typename Number>
bool read_number(const json::object& object, const char* name, bool may_lack, Number& out) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return may_lack;
  json::error_code bad;
  out = value->to_number<Number>(bad);
  return !bad;
}

// Terms that ask() has checked and the catalog has kept. Errors: kCorrupt.
Result<RequestTerms> read_terms(const catalog::Request& request) {
  json::error_code bad;
  const json::value value = json::parse(request.terms, bad);
  const json::object* object = bad ? nullptr : value.if_object();
  RequestTerms terms;
  terms.object = request.object.text();
  std::int64_t valid_seconds = 0;
  const bool is_whole = object != nullptr && read_text(*object, "purpose", terms.purpose) &&
                        read_text(*object, "grantee", terms.grantee) &&
                        read_text(*object, "grantee_id", terms.grantee_id) &&
                        read_text(*object, "destination", terms.destination) &&
                        read_list(*object, "data_use", terms.data_use) &&
                        read_list(*object, "regions", terms.regions) &&
                        // Requests of before have none.
                        read_number(*object, "decoys", true, terms.decoys) &&
                        read_number(*object, "uses", false, terms.uses) &&
                        read_number(*object, "valid_seconds", false, valid_seconds);
  if (!is_whole) {
    return fail(Code::kCorrupt, "the terms of request " + request.request.text() + " are damaged");
  }
  terms.valid = std::chrono::seconds(valid_seconds);
  return terms;
}

Result<ConsentWish> wish_of_terms(const RequestTerms& terms, const SiteContext& site) {
  ConsentWish wish;
  TRY_ASSIGN(wish.purpose, consent::parse_purpose(terms.purpose));
  TRY_ASSIGN(wish.grantee, consent::parse_grantee(terms.grantee, terms.grantee_id));
  TRY_ASSIGN(wish.data_uses, consent::parse_data_uses(terms.data_use, wish.purpose));
  TRY_ASSIGN(wish.scope, consent::parse_scope(terms.regions));
  TRY(check_decoys(terms.decoys, wish.scope));
  wish.decoys = terms.decoys;
  TRY_ASSIGN(wish.destination, SiteName::parse(terms.destination));
  if (site.config.find(wish.destination) == nullptr) {
    return fail(Code::kInvalidArgument,
                "destination '" + terms.destination + "' is not a site of this network");
  }
  if (terms.uses < 1 || terms.uses > consent::kMaxUses) {
    return fail(Code::kInvalidArgument, "a consent is for 1 to " +
                                            std::to_string(consent::kMaxUses) + " uses, not for " +
                                            std::to_string(terms.uses));
  }
  constexpr std::chrono::days kLongestConsent{400};
  if (terms.valid < std::chrono::minutes(1) || terms.valid > kLongestConsent) {
    return fail(Code::kInvalidArgument, "a consent is valid for a minute to 400 days");
  }
  wish.uses = terms.uses;
  wish.valid = terms.valid;
  return wish;
}

}  // namespace

Result<catalog::Object> RequestDesk::object_of(const RequestTerms& terms) {
  if (!terms.object.empty()) {
    TRY_ASSIGN(const ObjectId id, ObjectId::parse(terms.object));
    TRY_ASSIGN(catalog::Object object, catalog_.object(id));
    if (!terms.person.empty() && object.person_id != terms.person) {
      return fail(Code::kInvalidArgument,
                  "object " + terms.object + " does not belong to person '" + terms.person + "'");
    }
    if (object.state != catalog::ObjectState::kCommitted) {
      return fail(Code::kRefused,
                  "object " + terms.object + " is " +
                      std::string(catalog::state_name(object.state)) + ", not stored",
                  Reason::kNotStored);
    }
    return object;
  }
  if (terms.person.empty()) {
    return fail(Code::kInvalidArgument, "name the object, or the person, that it is about");
  }
  TRY(catalog_.person(terms.person));
  TRY_ASSIGN(auto objects, catalog_.list_objects({.person_id = terms.person,
                                                  .state = catalog::ObjectState::kCommitted},
                                                 {.count = 2}));
  if (objects.size() == 1) return std::move(objects.front());
  return fail(objects.empty() ? Code::kNotFound : Code::kInvalidArgument,
              objects.empty() ? "nothing is stored of person '" + terms.person + "'"
                              : "several objects are stored of person '" + terms.person +
                                    "': name the one that it is about");
}

Result<catalog::Request> RequestDesk::ask(const RequestTerms& wished) {
  RequestTerms terms = wished;
  if (terms.destination.empty()) terms.destination = site_.config.name.text();
  TRY_ASSIGN(const ConsentWish wish, wish_of_terms(terms, site_));
  terms.regions = consent::region_texts(wish.scope);
  if (terms.open < std::chrono::minutes(1) || terms.open > kLongestRequest) {
    return fail(Code::kInvalidArgument, "a request waits for a minute to " +
                                            std::to_string(kLongestRequest.count()) + " days");
  }
  TRY_ASSIGN(const catalog::Object object, object_of(terms));
  const os::UnixMs now = site_.system.clock.now();
  const catalog::Request request{
      .request = os::random_id<catalog::RequestId>(site_.system.random),
      .object = object.object,
      .person_id = object.person_id,
      .terms = terms_json(terms),
      .asked_by = audit::ActingOperator::current(),
      .note = terms.note,
      .created = now,
      .expires = {now.value + std::chrono::milliseconds(terms.open).count()}};
  TRY(catalog::check_record(request));
  TRY(site_.log.append("consent_asked", {{"request", request.request.text()},
                                         {"object", object.object.text()},
                                         {"purpose", terms.purpose},
                                         {"grantee", consent::grantee_words(
                                                         wish.grantee, consent::Locale::kEnglish)},
                                         {"scope", consent::scope_text(wish.scope)}}));
  TRY(catalog_.add_request(request));
  return request;
}

Result<ConsentWish> RequestDesk::wish_of(const catalog::RequestId& id) {
  TRY_ASSIGN(const catalog::Request request, catalog_.request(id));
  const auto state = catalog::state_at(request, site_.system.clock.now());
  if (state != catalog::RequestState::kAsked) {
    return fail(Code::kRefused,
                "request " + id.text() + " is " + std::string(catalog::state_name(state)) +
                    ", not waiting any more",
                Reason::kRequestOver);
  }
  TRY_ASSIGN(const RequestTerms terms, read_terms(request));
  TRY_ASSIGN(ConsentWish wish, wish_of_terms(terms, site_));
  wish.object = request.object;
  return wish;
}

Result<ConsentWish> RequestDesk::index_wish_of(const catalog::RequestId& id) {
  TRY_ASSIGN(ConsentWish wish, wish_of(id));
  if (wish.scope.regions.empty()) {
    return fail(Code::kInvalidArgument,
                "request " + id.text() + " is for all of the data: it takes no index");
  }
  wish.is_index = true;
  wish.scope = {};
  wish.data_uses = {};
  wish.uses = kIndexUses;
  wish.valid = kIndexLife;
  return wish;
}

Result<std::optional<GrantId>> RequestDesk::index_consent_of(const catalog::Request& request) {
  const os::UnixMs now = site_.system.clock.now();
  if (catalog::state_at(request, now) != catalog::RequestState::kAsked) return std::nullopt;
  TRY_ASSIGN(const RequestTerms terms, read_terms(request));
  if (terms.regions.empty()) return std::nullopt;
  TRY_ASSIGN(const ConsentWish wish, wish_of_terms(terms, site_));
  TRY_ASSIGN(const auto given,
             catalog_.list_grants({.object = request.object, .state = catalog::GrantState::kGiven},
                                  {.count = catalog::kMaxPageRows}));
  for (const catalog::Grant& record : given) {  // the newest first
    const auto grant = consent::parse_grant(record.grant_bytes);
    if (record.created < request.created) break;
    if (!grant || grant->capacity != consent::Capacity::kOwn || grant->purpose != wish.purpose ||
        grant->grantee != wish.grantee || grant->destination != wish.destination) {
      continue;
    }
    // Behind a newer consent to regions it has done what it was for.
    if (grant->scope.is_index() && now < grant->expiry) return record.grant;
    break;
  }
  return std::nullopt;
}

Result<> RequestDesk::offer(const catalog::RequestId& id, ByteView grant) {
  return catalog_.offer_grant(id, consent::grant_id(grant), site_.system.clock.now());
}

Result<catalog::Request> RequestDesk::refuse(const catalog::RequestId& id, const std::string& why) {
  const os::UnixMs now = site_.system.clock.now();
  TRY_ASSIGN(const catalog::Request request, catalog_.request(id));
  TRY_ASSIGN(const RequestTerms terms, read_terms(request));
  if (catalog::state_at(request, now) == catalog::RequestState::kAsked) {
    TRY(site_.log.append("consent_refused", {{"object", request.object.text()},
                                             {"purpose", terms.purpose},
                                             {"grantee", terms.grantee},
                                             {"request", id.text()}}));
  }
  TRY(catalog_.decide_request(id, catalog::RequestState::kRefused, why, now));
  return catalog_.request(id);
}

Result<catalog::Request> RequestDesk::cancel(const catalog::RequestId& id) {
  TRY(site_.log.append("consent_request_cancelled", {{"request", id.text()}}));
  TRY(catalog_.decide_request(id, catalog::RequestState::kCancelled, "", site_.system.clock.now()));
  return catalog_.request(id);
}

}  // namespace warifu::control
