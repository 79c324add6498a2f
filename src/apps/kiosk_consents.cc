// What a person decides at the kiosk: a request read, given or refused, a consent taken back.
#include "apps/kiosk_desk.h"
#include "apps/output.h"
#include "consent/evidence.h"
#include "os/system.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

std::string request_path(const std::string& request) {
  return "/v1/requests/" + url_text(request);
}

}  // namespace

// A request of this person, which still waits.
KioskResult<json::value> KioskDesk::own_request(ApiClient& client, const std::string& request) {
  TRY_ASSIGN(json::value asked, client.get(request_path(request)));
  if (text_of(asked, "person") != session_->person) {
    return fail(Code::kRefused, "this request is for somebody else");
  }
  const std::string state = text_of(asked, "state");
  if (state == "asked") return asked;
  return fail_as(Trouble::kNotWaiting, Code::kRefused,
                 "this request is " + state + " meanwhile; the card was not asked");
}

json::value KioskDesk::shown() const {
  constexpr const char* kParts[] = {"whole", "index", "regions"};
  const json::value& site = prepared_->written.prepared;
  return json::value{{"request", prepared_->request},
                     {"part", kParts[static_cast<int>(prepared_->part)]},
                     {"language", prepared_->language},
                     {"text", prepared_->written.text},
                     {"digest", prepared_->digest},
                     {"key_bytes", site.at("key_bytes")},
                     {"expires", os::utc_text(prepared_->written.grant.expiry)},
                     {"sites", site.at("sites")},
                     {"missing", site.at("missing")},
                     {"voids", site.at("voids")},
                     {"emergencies", site.at("emergencies")},
                     {"quote", prepared_->quote},
                     {"identification", site.at("identification")}};
}

// `more`: what the wish says beside the request.
KioskResult<json::value> KioskDesk::prepare(ApiClient& client, CardTerminal& terminal,
                                            Prepared wanted, json::object more) {
  more["request"] = wanted.request;
  more["locale"] = wanted.language;
  more["terminal"] = name_;
  auto written = write_grant(client, *terminal.card, card_->facts.kind, std::move(more));
  if (!written) return std::unexpected(of_card(terminal, written.error()));
  wanted.written = std::move(*written);
  const consent::Grant& grant = wanted.written.grant;
  const std::uint64_t chunks =
      wanted.part == Part::kRegions ? number_of(wanted.quote, "chunks") : 0;
  const bool is_right = wanted.part == Part::kIndex ? is_to_index(grant, wanted.terms)
                                                    : is_as_wished(grant, wanted.terms, chunks);
  if (!is_right || grant.card != session_->card) {
    return fail(Code::kCorrupt, "the site's grant is not what was asked for; nothing was shown");
  }
  wanted.digest = to_hex(grant.text_digest);
  prepared_ = std::move(wanted);
  return shown();
}

KioskResult<json::value> KioskDesk::prepare_regions(ApiClient& client, CardTerminal& terminal,
                                                    Prepared wanted, const std::string& index) {
  TRY_ASSIGN(const GrantId id, GrantId::parse(index));
  TRY_ASSIGN(wanted.quote, quote_regions(client, id, wanted.terms));
  wanted.part = Part::kRegions;
  return prepare(client, terminal, std::move(wanted), {{"index_grant", id.text()}});
}

KioskResult<json::value> KioskDesk::read(const std::string& request, const std::string& language) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  prepared_.reset();
  ApiClient client(site_);
  TRY_ASSIGN(const json::value asked, own_request(client, request));
  Prepared wanted{.request = request, .language = language};
  TRY_ASSIGN(wanted.terms, terms_of_request(asked));
  TRY_ASSIGN(CardTerminal terminal, open_same(options_));
  if (wanted.terms.scope.regions.empty()) {
    return prepare(client, terminal, std::move(wanted), {});
  }
  if (const std::string index = text_of(asked, "index_grant"); !index.empty()) {
    auto regions = prepare_regions(client, terminal, wanted, index);
    if (regions || regions.error().error.code != Code::kRefused) return regions;
    // It is used up, or was taken back meanwhile: from the beginning.
  }
  wanted.part = Part::kIndex;
  return prepare(client, terminal, std::move(wanted), {{"part", "index"}});
}

KioskResult<json::value> KioskDesk::accept(const std::string& request, const std::string& digest,
                                           std::shared_ptr<const secret::Buffer> pin) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  if (!prepared_ || prepared_->request != request || prepared_->digest != digest) {
    return fail(Code::kInvalidArgument, "read what is asked first");
  }
  ApiClient client(site_);
  TRY(own_request(client, request));
  TRY_ASSIGN(CardTerminal terminal, open_verified(std::move(pin)));
  Prepared prepared = *std::exchange(prepared_, std::nullopt);
  const auto given =
      terminal.card->authorise(client, prepared.written.bytes, prepared.written.grant.object);
  if (!given) return std::unexpected(of_card(terminal, given.error()));
  session_->used = Clock::now();
  if (prepared.part != Part::kIndex) {
    const card::CardKind kind = given->kind.value_or(card_->facts.kind);
    return json::value{{"part", "given"},
                       {"grant", given->grant},
                       {"card_kind", consent::card_kind_name(kind)},
                       {"security", consent::evidence_class(kind)},
                       {"holder_verification", consent::holder_verification(kind)}};
  }
  auto regions = prepare_regions(client, terminal, std::move(prepared), given->grant);
  if (regions || regions.error().trouble != Trouble::kOther) return regions;
  return std::unexpected(KioskError(Trouble::kHalfDone, regions.error().error));
}

KioskResult<json::value> KioskDesk::refuse(const std::string& request, const std::string& why) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  prepared_.reset();
  ApiClient client(site_);
  TRY_ASSIGN(const json::value asked, own_request(client, request));
  // What it was for is refused. It would end by itself within the hour.
  if (const std::string index = text_of(asked, "index_grant"); !index.empty()) {
    TRY(client.post("/v1/consents/" + url_text(index) + "/withdraw", json::object()));
  }
  return client.post(request_path(request) + "/refuse", {{"why", why}});
}

// That it is one of this person's, who alone may take it back here or have its receipt.
KioskResult<json::value> KioskDesk::own_consent(const std::string& grant) {
  ApiClient client(site_);
  TRY_ASSIGN(const json::value page,
             client.get("/v1/cards/" + session_->card.text() + "/requests"));
  for (const json::value& one : page.at("consents").as_array()) {
    if (text_of(one, "grant") == grant) return one;
  }
  return fail(Code::kNotFound, "consent " + grant + " is not one of yours");
}

KioskResult<json::value> KioskDesk::withdraw(const std::string& grant,
                                             std::shared_ptr<const secret::Buffer> pin) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  TRY(own_consent(grant));
  TRY(open_verified(std::move(pin)));
  session_->used = Clock::now();
  ApiClient client(site_);
  return client.post("/v1/consents/" + url_text(grant) + "/withdraw", json::object());
}

KioskResult<json::value> KioskDesk::receipt(const std::string& grant) {
  const std::lock_guard lock(mutex_);
  TRY(need_session());
  TRY(own_consent(grant));
  ApiClient client(site_);
  return client.get("/v1/consents/" + url_text(grant) + "/receipt");
}

}  // namespace warifu::apps
