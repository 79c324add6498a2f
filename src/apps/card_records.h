// Loading the record of an object on the person's card.
#pragma once

#include "apps/api_client.h"
#include "apps/card_terminal.h"

namespace warifu::apps {

// The PIN has been entered. Afterwards the site forgets the record, as far as it is safe elsewhere.
// Errors: kRefused (another person's card), kAlreadyExists (it is on the card), the site's, the
// card's.
[[nodiscard]] Result<> put_record(ApiClient& client, const std::string& object,
                                  CardTerminal& terminal);

}  // namespace warifu::apps
