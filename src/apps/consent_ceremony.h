// One consent at a terminal, from the wish to the grant that a card may be asked to prove; and the
// two that regions take (ADR 0043): to the index, under which the site finds out what reading the
// regions would take, then to the regions with just that. For `warifu consent give`, `warifu
// request give` and the kiosk, which differ in how they show it and ask.
//
// The site writes grants and is not believed: each is judged here, from its own bytes, against what
// was asked for, before anybody sees it. Holds no state; one thread.
#pragma once

#include <optional>
#include <string>

#include <boost/json.hpp>

#include "apps/card_authenticator.h"
#include "consent/grant.h"

namespace warifu::apps {

// What is asked for, as a terminal knows it without the site's grant.
struct ConsentTerms {
  std::string object;
  consent::Purpose purpose = consent::Purpose::kHealthManagement;
  consent::Grantee grantee;
  consent::DataUses data_uses;
  consent::Scope scope;  // without chunks
  std::uint32_t decoys = 0;  // beside each region; more than none: the grant hides the regions
  std::uint16_t uses = 1;
  consent::Capacity capacity = consent::Capacity::kOwn;
  std::string reason;
  std::optional<std::string> destination;  // none: wherever the site is
};

// Of a request as the site tells it (docs/api.md). Errors: kCorrupt naming the field.
[[nodiscard]] Result<ConsentTerms> terms_of_request(const boost::json::value& request);

struct WrittenGrant {
  boost::json::value prepared;  // the site's whole answer
  Bytes bytes;
  consent::Grant grant;  // with its regions, where it hides them
  std::string text;  // what it says, in the person's language
};

// Has the site write the grant of a wish for this card and judges that its text is what this
// terminal writes from it and that it is a use. Errors: the card's, the site's; kCorrupt.
[[nodiscard]] Result<WrittenGrant> write_grant(ApiClient& client, CardAuthenticator& card,
                                               card::CardKind kind, boost::json::object wish);

// Nothing but these terms. Which chunks hold the regions, and which are decoys, is the site's word;
// how many stands in the text and must be the quote's: `chunks`.
[[nodiscard]] bool is_as_wished(const consent::Grant& grant, const ConsentTerms& terms,
                                std::uint64_t chunks);
// A grant to the index is for reading it now: by whom and for what the regions will be, briefly.
[[nodiscard]] bool is_to_index(const consent::Grant& grant, const ConsentTerms& terms);

// What reading the terms' regions would take, found under the consent to the index: the site's
// answer. Errors: the site's; kCorrupt when it is about other regions.
[[nodiscard]] Result<boost::json::value> quote_regions(ApiClient& client, const GrantId& index,
                                                       const ConsentTerms& terms);

}  // namespace warifu::apps
