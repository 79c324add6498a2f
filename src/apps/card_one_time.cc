// The one-time MAC card as an authenticator.
#include <fmt/format.h>

#include "apps/card_authenticator.h"
#include "apps/card_terminal.h"
#include "apps/consent_terminal.h"
#include "apps/emergency_text.h"
#include "apps/output.h"
#include "base/reason.h"
#include "consent/grant.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// What the site drew for the card, out of its answer.
Result<card::Personalisation> read_content(const json::value& answer, secret::Buffer pin) {
  card::Personalisation content;
  TRY_ASSIGN(content.card, CardId::parse(text_of(answer, "card")));
  content.pin = std::move(pin);
  content.first_index = {static_cast<std::uint32_t>(number_of(answer, "first_index"))};
  for (const json::value& site : answer.at("sites").as_array()) {
    card::SiteKeys keys;
    TRY_ASSIGN(keys.site, SiteName::parse(text_of(site, "site")));
    TRY_ASSIGN(Bytes bytes, from_hex(text_of(site, "keys")));
    keys.keys = secret::Buffer::copy_of(bytes);
    secret::wipe(bytes);
    content.sites.push_back(std::move(keys));
  }
  return content;
}

class OneTimeCard final : public CardAuthenticator {
 public:
  explicit OneTimeCard(card::ConsentCard card) : card_(std::move(card)) {}

  Result<CardFacts> identify() override {
    TRY_ASSIGN(const card::CardIdentity identity, card_.identity());
    return CardFacts{identity.card, identity.kind(), identity.is_active};
  }

  Result<json::object> describe() override {
    TRY_ASSIGN(const card::CardIdentity identity, card_.identity());
    return json::object{{"card_id", identity.card.text()},
                        {"type", "one-time"},
                        {"active", identity.is_active},
                        {"emulated", identity.is_emulated},
                        {"pin_tries_left", identity.pin_tries_left},
                        {"sites", identity.site_count},
                        {"objects", identity.object_count},
                        {"next_index", identity.keys.first.value},
                        {"keys_left", identity.keys.count},
                        {"few_left", identity.keys.count <= kFewKeys}};
  }

  Result<> verify_holder(const CardOptions& options) override {
    if (options.pin_file.empty() && options.pin == nullptr && is_reader(options)) {
      if (!options.asks_nobody) {
        fmt::print(stderr, "enter the PIN (at the reader, if it has a pad)\n");
      }
      TRY_ASSIGN(const bool at_pad, card_.verify_on_pad());
      if (at_pad) return {};
    }
    TRY_ASSIGN(const secret::Buffer pin, read_pin(options));
    return card_.verify_pin(pin.bytes());
  }

  Result<EnrolledCard> enrol(ApiClient& client, const EnrolOptions& options, secret::Buffer pin,
                             Issue issue) override {
    const bool is_again = issue == Issue::kAgain;
    const std::string person = "/v1/persons/" + url_text(options.id);
    const secret::Buffer kept = secret::Buffer::copy_of(pin.bytes());
    json::object wish = {{"keys", options.keys}};
    std::string begin = is_again ? person + "/reissue" : "/v1/persons";
    std::string confirm = person + (is_again ? "/reissue/confirm" : "/confirm");
    if (options.order != nullptr) {
      wish = {{"terminal", options.order->terminal}};
      begin = "/v1/enrolments/" + url_text(options.order->id) + "/begin";
      confirm = "/v1/enrolments/finish";
    } else if (!is_again) {
      wish["person"] = options.id;
      wish["name"] = options.name;
    }
    tell_step(options, {"asking"});
    TRY_ASSIGN(const json::value answer, client.post(begin, wish));
    TRY_ASSIGN(card::Personalisation content, read_content(answer, std::move(pin)));
    content.loaded = [&](std::size_t done) {
      const std::size_t total = content.sites.size();
      const std::string next = done < total ? content.sites[done].site.text() : "";
      tell_step(options, {"writing", next, done, total});
    };
    content.loaded(0);
    TRY(card_.personalise(content));
    tell_step(options, {"confirming"});
    TRY_ASSIGN(const json::value confirmed, client.post(confirm, {{"card", content.card.text()}}));
    EnrolledCard enrolled{.card = content.card};
    for (const auto& site : content.sites) enrolled.sites.push_back(site.site);
    enrolled.text = fmt::format("{} one-time keys for each of {} sites",
                                content.sites.front().count(), enrolled.sites.size());
    if (!is_again) return enrolled;
    TRY(card_.verify_pin(kept.bytes()));
    for (const json::value& object : confirmed.at("objects").as_array()) {
      enrolled.objects.emplace_back(object.as_string());
    }
    return enrolled;
  }

  Result<> load_record(ApiClient& client, const std::string& object) override {
    TRY_ASSIGN(const card::CardIdentity identity, card_.identity());
    TRY_ASSIGN(const ObjectId id, ObjectId::parse(object));
    // A catalog that was rebuilt may not know that the card has it, or have an older one for it.
    const auto held = card_.get_object(id);
    if (held) return tell_found(client, object, identity.card, *held);
    if (held.error().code != Code::kNotFound) return std::unexpected(held.error());
    TRY_ASSIGN(const json::value record,
               client.get("/v1/objects/" + object + "/card-record?card=" + identity.card.text()));
    if (identity.card.text() != text_of(record, "card")) {
      return fail(Code::kRefused, "this card belongs to another person than the object",
                  Reason::kOtherPerson);
    }
    card::ObjectRecord entry;
    entry.object = id;
    TRY_ASSIGN(Bytes key, from_hex(text_of(record, "hash_key")));
    TRY_ASSIGN(const Bytes tag, from_hex(text_of(record, "tag")));
    entry.hash_key = secret::Buffer::copy_of(key);
    secret::wipe(key);
    copy_bytes(entry.tag, tag);
    entry.chunk_count = number_of(record, "chunks");
    entry.length = {number_of(record, "bytes")};
    TRY(card_.put_object(entry));
    TRY(client.post("/v1/objects/" + object + "/card-record", {{"card", identity.card.text()}}));
    return {};
  }

  Result<> add_to_wish(json::object& wish) override {
    TRY_ASSIGN(const card::CardIdentity identity, card_.identity());
    TRY(check_left(identity));
    wish["card"] = identity.card.text();
    wish["next_index"] = identity.keys.first.value;
    return {};
  }

  Result<GivenConsent> authorise(ApiClient& client, ByteView grant,
                                 const ObjectId& object) override {
    TRY_ASSIGN(const card::CardIdentity identity, card_.identity());
    TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
    const auto record = card_.get_object(object);
    // Of several guardians the last one's consent brings the record, where no card has it.
    const bool may_lack = parsed.together > 1 && !record && record.error().code == Code::kNotFound;
    if (!record && !may_lack) return std::unexpected(record.error());
    TRY_ASSIGN(json::object proof, prove(client, grant));
    if (record) {
      proof["hash_key"] = to_hex(record->hash_key.bytes());
      proof["chunks"] = record->chunk_count;
      proof["bytes"] = record->length.value;
      proof["tag"] = to_hex(record->tag);
    }
    TRY_ASSIGN(const json::value given, client.post("/v1/consents", proof));
    warn_of_few(identity.keys.count - 1);
    return GivenConsent{text_of(given, "grant"), std::nullopt};
  }

  Result<json::object> prove(ApiClient&, ByteView grant) override {
    TRY_ASSIGN(const card::CardIdentity identity, card_.identity());
    TRY_ASSIGN(const std::vector<mac::Tag> tags, card_.authorise(grant));
    json::array tag_list;
    for (const mac::Tag& tag : tags) tag_list.emplace_back(to_hex(tag));
    return json::object{{"grant", to_hex(grant)},
                        {"card_kind", static_cast<int>(identity.kind())},
                        {"tags", std::move(tag_list)}};
  }

  Result<std::uint32_t> renew(ApiClient& client, const SiteName& at) override {
    TRY_ASSIGN(const card::CardIdentity before, card_.identity());
    TRY(card_.may_renew(before.keys, at));
    TRY_ASSIGN(const json::value answer,
               client.post("/v1/cards/renewal", {{"card", before.card.text()},
                                                 {"first_index", before.keys.first.value},
                                                 {"count", before.keys.count},
                                                 {"site", at.text()}}));
    TRY_ASSIGN(const card::Personalisation content, read_content(answer, {}));
    TRY(card_.renew(content.first_index, content.sites));
    return before.keys.count;
  }

  Result<ToppedUp> top_up(ApiClient& client, const TopUpOptions& options) override {
    TRY_ASSIGN(const card::CardIdentity before, card_.identity());
    TRY(check_left(before));
    TRY_ASSIGN(const card::KeyRange range, range_for(before, options.keys));
    TRY_ASSIGN(const std::vector<SiteName> sites, card_.list_sites());
    json::array names;
    for (const SiteName& site : sites) names.emplace_back(site.text());
    TRY_ASSIGN(const json::value prepared,
               client.post("/v1/cards/top-up/prepare", {{"card", before.card.text()},
                                                        {"next_index", before.keys.first.value},
                                                        {"first_index", range.first.value},
                                                        {"count", range.count},
                                                        {"sites", std::move(names)},
                                                        {"locale", options.lang}}));
    print_emergencies(prepared);
    TRY_ASSIGN(const Bytes grant, from_hex(text_of(prepared, "grant")));
    TRY_ASSIGN(const consent::Grant parsed, consent::parse_grant(grant));
    TRY(check_text(prepared, parsed, before.kind()));
    if (parsed.top_up != range || parsed.card != before.card) {
      return fail(Code::kCorrupt,
                  "the site's grant is not for these keys of this card; it was not asked");
    }
    TRY(ask_person(text_of(prepared, "text"), options.lang, options.yes));
    TRY(verify_holder(options.card));
    TRY_ASSIGN(const json::object proof, prove(client, grant));
    // From here on an index is spent. The card is as it was until it has all of the new keys.
    const Result<ToppedUp> loaded = load_more(client, proof, range, sites);
    if (loaded) return loaded;
    return fail(loaded.error().code, loaded.error().message +
                                         " (the card has spent one consent and is as it was "
                                         "otherwise; top it up again)");
  }

 private:
  static Result<> tell_found(ApiClient& client, const std::string& object, const CardId& card,
                             const card::ObjectRecord& held) {
    TRY(client.post("/v1/objects/" + object + "/card-record",
                    {{"card", card.text()},
                     {"found", {{"chunks", held.chunk_count}, {"bytes", held.length.value}}}}));
    return {};
  }

  // As many as were asked for, or as an enrolment gives; what the card can take.
  static Result<card::KeyRange> range_for(const card::CardIdentity& card, std::uint32_t wished) {
    const std::uint32_t left = card.keys.count - 1;  // one proves the top-up
    const std::uint32_t usual = EnrolOptions().keys;
    if (wished == 0) wished = left < usual ? usual - left : 0;
    const card::KeyRange range{card.keys.end(), wished};
    if (wished == 0) {
      return fail(Code::kInvalidArgument, fmt::format("the card has {} one-time keys left; say "
                                                      "with --keys how many more it is to have",
                                                      card.keys.count));
    }
    if (!range.is_valid() || left + wished > card::kMaxKeysPerSite) {
      return fail(Code::kInvalidArgument,
                  fmt::format("the card takes {} keys for each site; {} more do not fit",
                              card::kMaxKeysPerSite, wished));
    }
    return range;
  }

  // Keys of every site, in the card's own order of sites.
  Result<ToppedUp> load_more(ApiClient& client, const json::object& proof, card::KeyRange range,
                             const std::vector<SiteName>& sites) {
    TRY_ASSIGN(const json::value answer, client.post("/v1/cards/top-up", proof));
    TRY_ASSIGN(card::Personalisation content, read_content(answer, {}));
    std::vector<card::SiteKeys> ordered;
    for (const SiteName& site : sites) {
      const auto found = std::ranges::find(content.sites, site, &card::SiteKeys::site);
      if (found == content.sites.end()) {
        return fail(Code::kCorrupt, "there are no keys of site " + site.text());
      }
      ordered.push_back({site, std::move(found->keys)});
    }
    TRY(card_.top_up(range.first, ordered));
    TRY_ASSIGN(const card::CardIdentity after, card_.identity());
    return ToppedUp{range.count, after.keys.count, sites.size()};
  }

  static Result<> check_left(const card::CardIdentity& card) {
    if (!card.is_active || card.keys.count > 0) return {};
    return fail(Code::kOutOfKey,
                "the card has no one-time keys left, not even to prove that it wants more: put it "
                "on the hot list ('warifu card revoke') and give the person another one ('warifu "
                "person reissue')");
  }
  static void warn_of_few(std::uint32_t left) {
    if (left > kFewKeys) return;
    fmt::print(stderr, "the card can give {} more consents; top it up: warifu card top-up\n", left);
  }

  card::ConsentCard card_;
};

}  // namespace

std::unique_ptr<CardAuthenticator> one_time_authenticator(card::ConsentCard card) {
  return std::make_unique<OneTimeCard>(std::move(card));
}

}  // namespace warifu::apps
