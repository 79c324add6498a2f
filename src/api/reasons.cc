// The table of words.
#include "api/reasons.h"

#include <algorithm>
#include <array>

#include "consent/decision.h"

namespace warifu::api {
namespace {

constexpr auto kRules = std::to_array<ReasonRule>({
    // Operators.
    {"role", Code::kRefused, " needs the role "},
    {"no_operator", Code::kRefused, " is no operator of this site"},
    {"passphrase_wait", Code::kRefused, " in a row: nothing is tried for "},
    {"passphrase_wrong", Code::kRefused, "wrong passphrase"},
    {"passphrase_none", Code::kRefused, " has no passphrase here"},
    {"own_proposal", Code::kRefused, "'s own: another operator has to approve it"},
    {"proposal_over", Code::kRefused, " already"},
    {"proposals_full", Code::kBusy, " proposals wait for a decision already"},
    {"code_wait", Code::kRefused, "too many wrong codes"},
    {"code_wrong", Code::kRefused, "this code is wrong, used or too old"},
    {"log_in", Code::kRefused, "this browser has no session here"},
    // Consents, beside what a gate says.
    {"expired", Code::kRefused, "the consent expired"},
    {"request_over", Code::kRefused, ", not waiting any more"},
    {"more_guardians", Code::kRefused, " together; so far "},
    {"not_here", Code::kRefused, " lets shares meet at "},
    {"not_here", Code::kRefused, " is for use at site "},
    {"quote_forgotten", Code::kNotFound, "the quote for these regions is forgotten"},
    {"other_person", Code::kRefused, "this card belongs to another person than the object"},
    // Cards and enrolments.
    {"revoked", Code::kRefused, " is on the hot list"},
    {"copied_card", Code::kRefused, "is this a copy of the card?"},
    {"reissue_wait", Code::kRefused, "; another one may take its place from "},
    {"reissue_leave", Code::kRefused, ": an officer here must allow another card"},
    {"enrolled", Code::kAlreadyExists, " is already enrolled"},
    {"enrolment_half", Code::kRefused, "' is incomplete; enrol the person again"},
    {"card_taken", Code::kAlreadyExists, "this card already belongs to a person"},
    // Where data may be.
    {"no_placement", Code::kRefused, "no legal placement for policy "},
    {"policy", Code::kRefused, "policy '"},
    {"policy", Code::kInvalidArgument, "policy '"},
    {"exposure", Code::kRefused, " would hold two shares of one object"},
    {"exposure", Code::kRefused, " cut the object and would see parts of it again"},
    {"exposure", Code::kRefused, "would see more of the object than it may"},
    {"exposure", Code::kRefused, " cut, which keeps its "},
    {"cannot_restore", Code::kUnavailable, "no set of shares would restore the object at "},
    {"not_stored", Code::kBusy, ", not stored"},
    {"not_stored", Code::kBusy, " is not stored yet"},
    {"not_stored", Code::kRefused, ", not stored"},
    // Uploads and genomes.
    {"uploads_full", Code::kBusy, " uploads are open, as many as there may be"},
    {"preparing", Code::kBusy, " is being prepared"},
    {"upload_gone", Code::kNotFound, " is not open; begin it again"},
    {"no_reference", Code::kCorrupt, "in need of its reference"},
    {"no_reference", Code::kCorrupt, "not of this reference"},
    {"not_sorted", Code::kCorrupt, "cannot be indexed: not sorted by position"},
    {"assembly", Code::kInvalidArgument, "assembly"},
    {"no_genome", Code::kInvalidArgument, " is neither CRAM, BAM, VCF.gz nor BCF"},
    {"index", Code::kInvalidArgument, "index of '"},
    {"other_records", Code::kCorrupt, "' has other records in other slices"},
    // Anything that others do just now.
    {"by_operator", Code::kCancelled, "cancelled by an operator"},
    {"waits_for_key", Code::kOutOfKey, " waits for key"},
    {"no_answer", Code::kUnavailable, " does not answer"},
    {"no_control", Code::kNotFound, " has no share control"},
    {"views_full", Code::kBusy, " views are open, as many as the site keeps"},
});

// "consent 5500... is expired": put together of a state's name.
constexpr std::array<std::string_view, 3> kStates = {"expired", "withdrawn", "used_up"};

std::string_view state_word(std::string_view message) {
  for (const std::string_view state : kStates) {
    if (message.find(" is " + std::string(state)) != std::string_view::npos) return state;
  }
  return {};
}

constexpr bool is_of_word(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}

// The last "(word)" that is a gate's.
std::string_view gate_word(std::string_view message) {
  for (std::size_t end = message.rfind(')'); end != std::string_view::npos && end > 0;
       end = message.rfind(')', end - 1)) {
    std::size_t begin = end;
    while (begin > 0 && is_of_word(message[begin - 1])) --begin;
    if (begin == 0 || message[begin - 1] != '(') continue;
    const std::string_view word = message.substr(begin, end - begin);
    for (unsigned i = 0; i <= static_cast<unsigned>(consent::Reason::kNotTold); ++i) {
      const std::string_view name = consent::reason_name(static_cast<consent::Reason>(i));
      if (name == word) return name;
    }
  }
  return {};
}

}  // namespace

std::span<const ReasonRule> reason_rules() {
  return kRules;
}

std::string_view reason_of(const Error& error) {
  if (error.code == Code::kRefused) {
    if (const std::string_view word = gate_word(error.message); !word.empty()) return word;
  }
  const auto rule = std::ranges::find_if(kRules, [&](const ReasonRule& one) {
    return one.code == error.code && error.message.find(one.words) != std::string::npos;
  });
  if (rule != kRules.end()) return rule->reason;
  return error.code == Code::kRefused ? state_word(error.message) : std::string_view();
}

std::string_view reason_of_text(std::string_view message) {
  if (const std::string_view word = gate_word(message); !word.empty()) return word;
  const auto rule = std::ranges::find_if(kRules, [&](const ReasonRule& one) {
    return message.find(one.words) != std::string_view::npos;
  });
  return rule == kRules.end() ? state_word(message) : rule->reason;
}

}  // namespace warifu::api
