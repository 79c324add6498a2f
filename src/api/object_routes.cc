// Uploads, objects, the record for the card, the explanation of an object; jobs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/explain.h"
#include "api/job_error.h"
#include "api/json.h"
#include "api/store_json.h"
#include "base/reason.h"
#include "base/units.h"
#include "control/card_records.h"
#include "operators/gate.h"

namespace warifu::api {
namespace {

json::object object_json(Services services, const catalog::Object& object) {
  return {{"object", object.object.text()},
          {"person", object.person_id},
          {"label", object.label},
          {"bytes", object.length},
          {"chunks", object.chunk_count},
          {"lead_chunks", object.lead_chunks},
          {"state", catalog::state_name(object.state)},
          {"policy", object.policy},
          {"card_record", control::record_place(services.site, services.control->catalog, object)},
          {"created", os::utc_text(object.created)},
          {"committed", object.committed_at ? os::utc_text(*object.committed_at) : ""}};
}

json::value parsed(const std::string& text) {
  json::error_code bad;
  json::value value = json::parse(text, bad);
  return bad ? json::value(nullptr) : value;
}

json::object job_json(const catalog::Job& job) {
  return {{"job", job.job.text()},
          {"kind", catalog::kind_name(job.kind)},
          {"state", catalog::state_name(job.state)},
          {"priority", catalog::priority_name(job.priority)},
          {"step", job.step},
          {"object", job.object ? job.object->text() : ""},
          {"person", job.person_id.value_or("")},
          {"progress_bytes", job.progress_bytes},
          {"total_bytes", job.total_bytes},
          {"error", error_message(job)},
          {"error_code", error_code(job)},
          {"error_reason", error_reason(job)},
          {"refused", was_refused(job)},
          {"plan", parsed(job.plan)},
          {"result", parsed(job.result)},
          {"created", os::utc_text(job.created)},
          {"updated", os::utc_text(job.updated)},
          {"expected_end", job.expected_end ? os::utc_text(*job.expected_end) : ""},
          {"expected_end_ms", job.expected_end ? job.expected_end->value : 0}};
}

// A job as it stands in the catalog, and how many wait before it.
json::object job_json(ControlServices& control, const catalog::Job& job) {
  json::object value = job_json(job);
  const auto before = control.jobs.before(job.job);
  value["jobs_before"] = before ? json::value(*before) : json::value();
  return value;
}

Result<catalog::JobPriority> priority_of(std::string_view name) {
  if (name.empty()) return catalog::JobPriority::kUsual;
  if (const auto found = catalog::value_of_name<catalog::JobPriority>(name)) return *found;
  return fail(Code::kInvalidArgument,
              "priority '" + std::string(name) + "' must be low, usual or urgent");
}

// The part of a list that "skip" and "count" name; without them its beginning.
Result<catalog::Page> page_of(http::RequestContext& context, std::uint64_t usual_count) {
  catalog::Page page{.count = usual_count};
  for (const auto& [name, value] : {std::pair{"skip", &page.skip}, {"count", &page.count}}) {
    const auto text = context.request().query.find(name);
    if (!text) continue;
    const auto end = text->data() + text->size();
    const auto [at, problem] = std::from_chars(text->data(), end, *value);
    if (problem != std::errc() || at != end || *value > 1'000'000'000) {
      return fail(Code::kInvalidArgument,
                  fmt::format("'{}' must be a number up to 1000000000, not '{}'", name, *text));
    }
  }
  return page;
}

Result<json::value> list_jobs(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const catalog::Page page, page_of(context, 200));
  catalog::JobFilter filter;
  if (const auto state = context.request().query.find("state")) {
    filter.state = catalog::value_of_name<catalog::JobState>(*state);
    if (!filter.state) {
      return fail(Code::kInvalidArgument, "no job is ever '" + std::string(*state) + "'");
    }
  }
  TRY_ASSIGN(const auto jobs, control.catalog.list_jobs(filter, page));
  json::array list;
  for (const auto& job : jobs) list.push_back(job_json(control, job));
  return json::value{{"jobs", std::move(list)}};
}

Result<json::value> set_priority(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("job")));
  TRY_ASSIGN(const catalog::JobPriority priority, priority_of(context.parameter("priority")));
  TRY(control.jobs.set_priority(id, priority));
  TRY_ASSIGN(const catalog::Job job, control.catalog.job(id));
  return json::value(job_json(control, job));
}

Result<control::StoreTicket> receive_upload(http::RequestContext& context,
                                            ControlServices& control) {
  const auto query = [&](const char* name) {
    return std::string(context.request().query.find(name).value_or(""));
  };
  std::uint64_t length = 0;
  if (const auto text = context.request().headers.find("Content-Length")) {
    length = std::strtoull(std::string(*text).c_str(), nullptr, 10);
  }
  TRY_ASSIGN(const catalog::JobPriority priority, priority_of(query("priority")));
  TRY_ASSIGN(control::Upload upload,
             control.store.begin(query("person"), query("label"), length, query("policy")));
  upload.set_priority(priority);
  TRY_ASSIGN(const std::uint64_t lead, query_number(context, "lead", 0));
  if (lead > UINT32_MAX) return fail(Code::kInvalidArgument, "'lead' is too large");
  upload.set_lead(static_cast<std::uint32_t>(lead));
  secret::Buffer piece(256 * 1024);
  for (;;) {
    TRY_ASSIGN(const std::size_t got, context.read_body_some(piece.bytes()));
    if (got == 0) break;
    TRY(upload.append(piece.bytes().first(got)));
  }
  return upload.finish();
}

Result<catalog::Job> store_job_of(ControlServices& control, const ObjectId& object) {
  TRY_ASSIGN(const auto jobs,
             control.catalog.list_jobs({.kind = catalog::JobKind::kStore, .object = object},
                                       {.count = 1}));
  if (jobs.empty()) return fail(Code::kNotFound, "no job stored object " + object.text());
  return jobs.front();
}

// What the card has to keep: as long as share control has it, and afterwards, for a card that has
// taken the place of a lost one, out of safekeeping.
// A card of somebody who may consent in the person's place, by this site's own gate. Errors:
// kRefused.
Result<> may_have_record(Services services, const catalog::Object& object, const CardId& card) {
  TRY_ASSIGN(const auto pseudonyms, services.control->catalog.pseudonyms(object.person_id));
  for (const catalog::SitePseudonym& at : pseudonyms) {
    if (at.site != services.site.config.name) continue;
    const auto allowed = services.site.gate.may_give_records(card, at.pseudonym, object.object);
    if (allowed) return {};
  }
  return fail(Code::kRefused, "this card belongs to another person than the object",
              Reason::kOtherPerson);
}

// What share control keeps for the card, or else out of safekeeping.
Result<card::ObjectRecord> record_for(Services services, const catalog::Object& object,
                                      const CardId& card) {
  auto kept = control::kept_record(services.site, services.control->catalog, object);
  if (kept) return std::move(kept->record);
  if (kept.error().code != Code::kNotFound) return std::unexpected(kept.error());
  auto record = services.control->records.bring_back(object.object, card);
  if (!record && record.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, "neither share control nor safekeeping has the record of object " +
                                     object.object.text() +
                                     ": only a card that has it restores the object");
  }
  if (record &&
      (record->chunk_count != object.chunk_count || record->length.value != object.length)) {
    return fail(Code::kCorrupt, "the record of object " + object.object.text() +
                                    " in safekeeping has another length than this catalog");
  }
  return record;
}

Result<json::object> card_record(Services services, const std::string& text,
                                 const std::optional<CardId>& wanted) {
  if (services.control == nullptr)
    return fail(Code::kNotFound, "this site has no share control", Reason::kNoControl);
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(text));
  TRY_ASSIGN(const catalog::Object object, services.control->catalog.object(id));
  if (object.state != catalog::ObjectState::kCommitted) {
    return fail(
        Code::kBusy,
        "object " + text + " is " + std::string(catalog::state_name(object.state)) + ", not stored",
        Reason::kNotStored);
  }
  TRY_ASSIGN(const catalog::Person person, services.control->catalog.person(object.person_id));
  const CardId card = wanted.value_or(person.card);
  if (card != person.card) TRY(may_have_record(services, object, card));
  if (card == person.card && object.card_record == catalog::CardRecordState::kOnCard) {
    return fail(Code::kAlreadyExists, "the record of object " + text + " is on the card already");
  }
  const auto kind = services.site.gate.kind_of(card);
  if (kind && card::is_signature(*kind)) {
    return fail(Code::kInvalidArgument, "a signature card keeps no records of objects");
  }
  TRY_ASSIGN(const card::ObjectRecord record, record_for(services, object, card));
  return json::object{{"object", text},
                      {"card", card.text()},
                      {"hash_key", to_hex(record.hash_key.bytes())},
                      {"tag", to_hex(record.tag)},
                      {"chunks", object.chunk_count},
                      {"bytes", object.length}};
}

// What a card that had the record already says of the object must be what the catalog says.
Result<> check_found(const json::value& found, const catalog::Object& object) {
  const json::object said = found.is_object() ? found.get_object() : json::object();
  TRY_ASSIGN(const std::uint64_t chunks, number_field(said, "chunks", UINT64_MAX));
  TRY_ASSIGN(const std::uint64_t bytes, number_field(said, "bytes", UINT64_MAX));
  if (chunks == object.chunk_count && bytes == object.length) return {};
  return fail(Code::kCorrupt, "the card knows object " + object.object.text() +
                                  " with another length than this catalog");
}

Result<json::value> confirm_card_record(http::RequestContext& context, ControlServices& control) {
  TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
  TRY_ASSIGN(const catalog::Object object, control.catalog.object(id));
  if (object.state != catalog::ObjectState::kCommitted) {
    return fail(Code::kBusy, "object " + id.text() + " is not stored yet", Reason::kNotStored);
  }
  const json::object body = body_object(context).value_or(json::object());
  const auto card = CardId::parse(text_field_or(body, "card", ""));
  TRY_ASSIGN(const catalog::Person person, control.catalog.person(object.person_id));
  // On a proxy's card it is beside the person's own; a ward has none but the guardians'.
  const bool is_own = !card || *card == person.card;
  const json::value* found = body.if_contains("found");
  if (found != nullptr) TRY(check_found(*found, object));
  if (found != nullptr && is_own && object.card_record == catalog::CardRecordState::kOnCard) {
    return fail(Code::kAlreadyExists,
                "the record of object " + id.text() + " is on the card already");
  }
  TRY_ASSIGN(const custody::PersonView view, control.people.view(object.person_id));
  if (!is_own && view.record.guardians.empty()) {
    return json::value{{"object", id.text()}, {"card_record", "on_card"}};
  }
  TRY(control.catalog.set_card_record(id, catalog::CardRecordState::kOnCard));
  TRY(control.records.forget_if_safe(id));
  control.records.wake();
  return json::value{{"object", id.text()}, {"card_record", "on_card"}};
}

Result<json::value> list_objects(http::RequestContext& context, ControlServices& control,
                                 Services services) {
  catalog::ObjectFilter filter;
  if (const auto person = context.request().query.find("person")) filter.person_id = *person;
  TRY_ASSIGN(const catalog::Page page, page_of(context, catalog::kMaxPageRows));
  TRY_ASSIGN(const auto objects, control.catalog.list_objects(filter, page));
  json::array list;
  for (const auto& object : objects) list.push_back(object_json(services, object));
  return json::value{{"objects", std::move(list)}};
}

// As it was decided when the object was stored.
Result<json::value> plan_of_object(ControlServices& control, const ObjectId& id) {
  TRY_ASSIGN(const catalog::Object object, control.catalog.object(id));
  TRY_ASSIGN(const catalog::Job job, store_job_of(control, id));
  json::value plan = parsed(job.plan);
  if (!plan.is_object()) return fail(Code::kBusy, "object " + id.text() + " is not planned yet");
  plan.as_object()["policy"] = object.policy;
  plan.as_object()["bytes"] = object.length;
  return plan;
}

Result<json::value> plan_now(http::RequestContext& context, ControlServices& control) {
  const auto& query = context.request().query;
  TRY_ASSIGN(const std::uint64_t bytes, parse_size(query.find("bytes").value_or("")));
  TRY_ASSIGN(json::object plan,
             control.store.advise(bytes, std::string(query.find("policy").value_or(""))));
  return json::value(std::move(plan));
}

void add_job_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(Method::kGet, "/v1/jobs", control_handler(services, list_jobs));
  router.add(Method::kPost, "/v1/jobs/{job}/priority/{priority}",
             control_handler(services, set_priority));
  router.add(Method::kGet, "/v1/jobs/{job}",
             control_handler(services,
                             [](http::RequestContext& context,
                                ControlServices& control) -> Result<json::value> {
                               TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("job")));
                               TRY_ASSIGN(const catalog::Job job, control.catalog.job(id));
                               return json::value(job_json(control, job));
                             }));
  const auto order = [&](const char* path, Result<> (control::JobEngine::*give)(const JobId&)) {
    router.add(Method::kPost, path,
               control_handler(services,
                               [give](http::RequestContext& context,
                                      ControlServices& control) -> Result<json::value> {
                                 TRY_ASSIGN(const JobId id, JobId::parse(context.parameter("job")));
                                 TRY((control.jobs.*give)(id));
                                 TRY_ASSIGN(const catalog::Job job, control.catalog.job(id));
                                 return json::value(job_json(control, job));
                               }));
  };
  order("/v1/jobs/{job}/pause", &control::JobEngine::pause_job);
  order("/v1/jobs/{job}/resume", &control::JobEngine::resume_job);
  order("/v1/jobs/{job}/cancel", &control::JobEngine::cancel_job);
}

void give_card_record(http::RequestContext& context, Services services) {
  // The card that the record is for; left out: the person's own.
  std::optional<CardId> card;
  if (const auto text = context.request().query.find("card")) {
    const auto parsed = CardId::parse(*text);
    if (!parsed) return answer_error(context, parsed.error());
    card = *parsed;
  } else if (services.operators != nullptr) {
    // Whoever does not have the card there has to be the biobank: its id is known to
    // those who have read it.
    const auto may = services.operators->require(context, {operators::Role::kBiobank},
                                                 "a card record without a card");
    if (!may) return answer_error(context, may.error());
  }
  const auto record = card_record(services, context.parameter("object"), card);
  if (record) {
    answer_secret(context, *record);
  } else {
    answer_error(context, record.error());
  }
}

}  // namespace

void add_object_routes(http::Router& router, Services services) {
  using http::Method;
  router.add(
      Method::kPost, "/v1/objects",
      control_handler(
          services,
          [](http::RequestContext& context, ControlServices& control) -> Result<json::value> {
            TRY_ASSIGN(const control::StoreTicket ticket, receive_upload(context, control));
            return ticket_json(ticket);
          }),
      {.stream_body = true});
  router.add(Method::kGet, "/v1/objects",
             control_handler(services, [services](auto& context, ControlServices& control) {
               return list_objects(context, control, services);
             }));
  router.add(Method::kGet, "/v1/objects/{object}",
             control_handler(services,
                             [services](http::RequestContext& context,
                                        ControlServices& control) -> Result<json::value> {
                               TRY_ASSIGN(const ObjectId id,
                                          ObjectId::parse(context.parameter("object")));
                               TRY_ASSIGN(const catalog::Object object, control.catalog.object(id));
                               json::object value = object_json(services, object);
                               TRY_ASSIGN(value["shares"], shares_json(control.catalog, id));
                               value["schemes"] = schemes_json(object.policy);
                               return json::value(std::move(value));
                             }));
  router.add(Method::kGet, "/v1/objects/{object}/explain",
             control_handler(services,
                             [services](http::RequestContext& context,
                                        ControlServices& control) -> Result<json::value> {
                               TRY_ASSIGN(const ObjectId id,
                                          ObjectId::parse(context.parameter("object")));
                               return explain_json(services.site, control.catalog, id);
                             }));
  router.add(
      Method::kGet, "/v1/objects/{object}/plan",
      control_handler(
          services,
          [](http::RequestContext& context, ControlServices& control) -> Result<json::value> {
            TRY_ASSIGN(const ObjectId id, ObjectId::parse(context.parameter("object")));
            return plan_of_object(control, id);
          }));
  router.add(Method::kGet, "/v1/plan", control_handler(services, plan_now));
  router.add(Method::kGet, "/v1/objects/{object}/card-record",
             [services](http::RequestContext& context) { give_card_record(context, services); },
             {.secret_body = true});
  router.add(Method::kPost, "/v1/objects/{object}/card-record",
             control_handler(services, confirm_card_record));
  add_job_routes(router, services);
}

}  // namespace warifu::api
