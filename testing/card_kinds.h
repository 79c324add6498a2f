// Every kind of card in every place, at one gate: as the person's own, naming a proxy, allowing
// emergencies; as a proxy's, as one of two guardians', as one of two officers'.
//
// In each cell the card proves its grant as its kind does (tags, a dialogue, a signature) and the
// gate must let it pass; and refuse the same with a bent receipt. One thread.
#pragma once

#include <string>
#include <vector>

#include "card/values.h"

namespace warifu::sim {

struct CardCell {
  card::CardKind kind = card::CardKind::kOneTimeMac;
  std::string place;  // "own", "names_proxy", "allows_emergency", "proxy", "guardian", "officer"
  std::string why;    // it failed; empty: it passed
};

[[nodiscard]] std::vector<CardCell> try_card_kinds();

}  // namespace warifu::sim
