// Why something failed, as one word that stays the same: `reason` in error answers (docs/api.md).
//
// A page has a sentence in its reader's language for each of them; the message itself is for
// whoever looks closer. A gate's refusal brings its word with it, over any number of sites:
// "(expired)" at the message's end. Others are known by words of their messages; the test `reasons`
// holds the table against the sources, so that a message cannot be changed without it. Pure; any
// thread.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace warifu::api {

struct ReasonRule {
  std::string_view reason;
  Code code;
  std::string_view words;  // of the message
};
// The first one that fits counts.
[[nodiscard]] std::span<const ReasonRule> reason_rules();

// Empty: the code says all there is to say.
[[nodiscard]] std::string_view reason_of(const Error& error);
// Of a message alone, as a job keeps it.
[[nodiscard]] std::string_view reason_of_text(std::string_view message);

}  // namespace warifu::api
