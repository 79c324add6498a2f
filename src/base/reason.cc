// The table of words.
#include "base/reason.h"

#include <algorithm>
#include <array>

namespace warifu {
namespace {

constexpr auto kWords = std::to_array<std::string_view>({
    "",
    "malformed",
    "other_act",
    "not_this_site",
    "unknown_card",
    "revoked",
    "wrong_kind",
    "held_back",
    "withdrawn",
    "unknown_nonce",
    "nonce_expired",
    "index_used",
    "no_key",
    "too_many_grants",
    "wrong_tag",
    "other_object",
    "other_person",
    "died",
    "under_age",
    "of_age",
    "not_entitled",
    "not_together",
    "other_destination",
    "other_purpose",
    "other_grantee",
    "other_use",
    "other_scope",
    "other_chunks",
    "not_yet",
    "expired",
    "used_up",
    "not_proven",
    "copied_card",
    "wrong_card",
    "wrong_signature",
    "damaged_certificate",
    "untrusted_issuer",
    "weak_certificate",
    "certificate_not_yet_valid",
    "certificate_expired",
    "wrong_key_use",
    "certificate_revoked",
    "no_revocation_list",
    "stale_revocation_list",
    "bad_revocation_list",
    "stale_statement",
    "emergency_off",
    "not_officer",
    "not_allowed_before",
    "not_told",
    "role",
    "no_operator",
    "passphrase_wait",
    "passphrase_wrong",
    "passphrase_none",
    "own_proposal",
    "proposal_over",
    "proposals_full",
    "code_wait",
    "code_wrong",
    "log_in",
    "request_over",
    "more_guardians",
    "not_here",
    "quote_forgotten",
    "reissue_wait",
    "reissue_leave",
    "enrolled",
    "enrolment_half",
    "card_taken",
    "no_placement",
    "policy",
    "exposure",
    "cannot_restore",
    "not_stored",
    "uploads_full",
    "preparing",
    "upload_gone",
    "no_reference",
    "not_sorted",
    "assembly",
    "no_genome",
    "index",
    "other_records",
    "by_operator",
    "waits_for_key",
    "no_answer",
    "no_control",
    "too_many_givers",
    "views_full",
    "share_rotten",
    "share_length",
    "share_head",
    "qber_high",
    "key_rate_low",
    "device_silent",
    "device_refuses",
    "device_odd",
});
static_assert(kWords.size() == static_cast<std::size_t>(Reason::kDeviceOdd) + 1);

}  // namespace

std::string_view reason_name(Reason reason) {
  return kWords.at(static_cast<std::size_t>(reason));
}

std::optional<Reason> reason_of_name(std::string_view name) {
  const auto known = std::ranges::find(kWords, name);
  if (name.empty() || known == kWords.end()) return std::nullopt;
  return static_cast<Reason>(known - kWords.begin());
}

std::string error_text(const Error& error, std::size_t most_bytes) {
  std::string text = error.message.substr(0, most_bytes);
  if (error.reason == Reason::kNone) return text;
  return text + " (" + std::string(reason_name(error.reason)) + ")";
}

Error error_of_text(Code code, std::string_view text) {
  const std::size_t open = text.ends_with(')') ? text.rfind(" (") : std::string_view::npos;
  if (open == std::string_view::npos) return {code, std::string(text)};
  const std::string_view word = text.substr(open + 2, text.size() - open - 3);
  const auto reason = reason_of_name(word);
  if (!reason) return {code, std::string(text)};
  return {code, std::string(text.substr(0, open)), *reason};
}

}  // namespace warifu
