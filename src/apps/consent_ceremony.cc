// The site's grants, judged.
#include "apps/consent_ceremony.h"

#include "apps/consent_terminal.h"
#include "apps/output.h"
#include "consent/data_use.h"
#include "consent/veil.h"
#include "control/consent_desk.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

constexpr std::int64_t kClockMs = 120'000;  // by which the clocks of sites and terminals may differ

Result<std::vector<std::string>> texts_of(const json::value& value, const char* key) {
  std::vector<std::string> texts;
  const json::value* list = value.as_object().if_contains(key);
  if (list == nullptr || !list->is_array()) {
    return fail(Code::kCorrupt, std::string("the site's request has no list '") + key + "'");
  }
  for (const json::value& one : list->get_array()) {
    if (one.is_string()) texts.emplace_back(one.get_string());
  }
  return texts;
}

}  // namespace

Result<ConsentTerms> terms_of_request(const json::value& request) {
  if (!request.is_object()) return fail(Code::kCorrupt, "the site's request is no object");
  const auto read = [&]() -> Result<ConsentTerms> {
    ConsentTerms terms{.object = text_of(request, "object"), .destination = {}};
    TRY_ASSIGN(terms.purpose, consent::parse_purpose(text_of(request, "purpose")));
    TRY_ASSIGN(terms.grantee,
               consent::parse_grantee(text_of(request, "grantee"), text_of(request, "grantee_id")));
    TRY_ASSIGN(const auto data_uses, texts_of(request, "data_use"));
    TRY_ASSIGN(terms.data_uses, consent::parse_data_uses(data_uses, terms.purpose));
    TRY_ASSIGN(const auto regions, texts_of(request, "regions"));
    TRY_ASSIGN(terms.scope, consent::parse_scope(regions));
    terms.decoys = static_cast<std::uint32_t>(number_of(request, "decoys"));
    terms.uses = static_cast<std::uint16_t>(number_of(request, "uses"));
    terms.destination = text_of(request, "destination");
    return terms;
  };
  auto terms = read();
  if (!terms) return fail(Code::kCorrupt, "the site's request: " + terms.error().message);
  return terms;
}

Result<WrittenGrant> write_grant(ApiClient& client, CardAuthenticator& card, card::CardKind kind,
                                 json::object wish) {
  TRY(card.add_to_wish(wish));
  WrittenGrant written;
  TRY_ASSIGN(written.prepared, client.post("/v1/consents/prepare", wish));
  TRY_ASSIGN(written.bytes, from_hex(text_of(written.prepared, "grant")));
  TRY_ASSIGN(const Bytes opening, from_hex(text_of(written.prepared, "opening")));
  TRY_ASSIGN(written.grant, consent::parse_opened(written.bytes, opening));
  TRY(check_text(written.prepared, written.grant, kind));
  written.text = text_of(written.prepared, "text");
  if (consent::act_of(written.grant) != consent::Act::kUse) {
    return fail(Code::kCorrupt,
                "the site's grant is not what was asked for; the card was not asked");
  }
  return written;
}

bool is_as_wished(const consent::Grant& grant, const ConsentTerms& terms, std::uint64_t chunks) {
  consent::Scope scope = terms.scope;
  const bool fits_chunks = consent::chunk_count(grant.scope.chunks) == chunks;
  scope.chunks = grant.scope.chunks;
  if (terms.decoys > 0 && grant.scope.veil) scope.veil = grant.scope.veil;
  return grant.object.text() == terms.object && grant.purpose == terms.purpose &&
         grant.uses == terms.uses && grant.capacity == terms.capacity &&
         grant.grantee == terms.grantee && grant.data_uses == terms.data_uses &&
         grant.scope == scope && scope.veil.has_value() == (terms.decoys > 0) && fits_chunks &&
         grant.reason == terms.reason &&
         (!terms.destination || grant.destination.text() == *terms.destination);
}

bool is_to_index(const consent::Grant& grant, const ConsentTerms& terms) {
  const std::int64_t life = grant.expiry.value - grant.not_before.value;
  return grant.object.text() == terms.object && grant.scope.is_index() &&
         grant.purpose == terms.purpose && grant.grantee == terms.grantee &&
         grant.capacity == terms.capacity && grant.uses <= control::kIndexUses &&
         grant.data_uses.empty() &&
         life <= std::chrono::milliseconds(control::kIndexLife).count() + kClockMs &&
         (!terms.destination || grant.destination.text() == *terms.destination);
}

Result<json::value> quote_regions(ApiClient& client, const GrantId& index,
                                  const ConsentTerms& terms) {
  const std::vector<std::string> regions = consent::region_texts(terms.scope);
  TRY_ASSIGN(json::value quote,
             client.post("/v1/consents/" + index.text() + "/quote",
                         {{"regions", texts_json(regions)}, {"decoys", terms.decoys}}));
  TRY_ASSIGN(const auto quoted, texts_of(quote, "regions"));
  if (quoted != regions || text_of(quote, "object") != terms.object ||
      number_of(quote, "decoys") != terms.decoys) {
    return fail(Code::kCorrupt, "the site's quote is for other regions than were asked for");
  }
  return quote;
}

}  // namespace warifu::apps
