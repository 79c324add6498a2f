// What every ceremony at a terminal does before a card is asked: the text is written again from the
// grant itself and shown to the person.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "card/values.h"
#include "consent/grant.h"

namespace warifu::apps {

// "health" for short. Errors: kInvalidArgument.
[[nodiscard]] Result<std::string> purpose_of(const std::string& text);

// Says on standard error that restores are at the site with share control only, when a consent is
// to be for another one; nothing for an empty destination. Errors: those of the site's answer.
[[nodiscard]] Result<> warn_of_destination(ApiClient& client, const std::string& destination);

// The site may choose the names in the text and nothing else: it must be what this terminal writes
// from the grant, and its digest must stand in it. `prepared`: the site's answer.
// Errors: kCorrupt.
[[nodiscard]] Result<> check_text(const boost::json::value& prepared, const consent::Grant& grant,
                                  card::CardKind kind);

// Shows the text and asks; not with `is_read`, when it was read on another screen.
// Errors: kCancelled, kInvalidArgument without a terminal.
[[nodiscard]] Result<> ask_person(const std::string& text, const std::string& lang, bool is_read);

}  // namespace warifu::apps
