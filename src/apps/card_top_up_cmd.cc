// `warifu card top-up`: more one-time keys on the person's card, from every site that it has keys
// of. Torn away at any moment the card is as it was, or has all of the new keys.
#include <fmt/format.h>

#include "apps/api_client.h"
#include "apps/card_terminal.h"
#include "apps/consent_terminal.h"
#include "apps/output.h"
#include "apps/person_commands.h"

namespace warifu::apps {

Result<> card_top_up(const Common& common, const TopUpOptions& options) {
  TRY_ASSIGN(CardTerminal terminal, open_card(options.card));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  if (!facts.is_active || card::is_proved_first(facts.kind)) {
    return fail(Code::kRefused, "the card at " + terminal.name + " has no one-time keys" +
                                    (facts.is_active ? "" : ": it belongs to nobody yet"));
  }
  ApiClient client(common);
  TRY_ASSIGN(const ToppedUp done, terminal.card->top_up(client, options));
  if (common.json) {
    print_json({{"card_id", facts.card.text()},
                {"keys", done.keys},
                {"keys_left", done.keys_left},
                {"sites", done.sites}});
  } else {
    fmt::print("the card has {} more one-time keys for each of {} sites, {} in all\n", done.keys,
               done.sites, done.keys_left);
  }
  return {};
}

}  // namespace warifu::apps
