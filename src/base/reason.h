// Why something failed, as one word that stays the same while messages may change: a page has a
// sentence for each in its reader's language (docs/api.md, web/src/ui/failure_messages.ts).
//
// The words are one closed table. An Error bears at most one, given where it arises; kNone: its
// code says all there is to say. Between sites, between processes and in the catalog an error is
// one text, its message with " (word)" behind it; a word that this table does not have (of a newer
// site) stays part of the message (ADR 0059). Numbers stand in no format. Pure; any thread.
#pragma once

#include <optional>

#include "base/result.h"

namespace warifu {

enum class Reason : std::uint8_t {
  kNone,
  // Of a gate (consent/decision.h), in the order of its checks.
  kMalformed,
  kOtherAct,
  kNotThisSite,
  kUnknownCard,
  kRevoked,
  kWrongKind,
  kHeldBack,
  kWithdrawn,
  kUnknownNonce,
  kNonceExpired,
  kIndexUsed,
  kNoKey,
  kTooManyGrants,
  kWrongTag,
  kOtherObject,
  kOtherPerson,
  kDied,
  kUnderAge,
  kOfAge,
  kNotEntitled,
  kNotTogether,
  kOtherDestination,
  kOtherPurpose,
  kOtherGrantee,
  kOtherUse,
  kOtherScope,
  kOtherChunks,
  kNotYet,
  kExpired,
  kUsedUp,
  kNotProven,
  kCopiedCard,
  kWrongCard,
  kWrongSignature,
  kDamagedCertificate,
  kUntrustedIssuer,
  kWeakCertificate,
  kCertificateNotYetValid,
  kCertificateExpired,
  kWrongKeyUse,
  kCertificateRevoked,
  kNoRevocationList,
  kStaleRevocationList,
  kBadRevocationList,
  kStaleStatement,
  kEmergencyOff,
  kNotOfficer,
  kNotAllowedBefore,
  kNotTold,
  // Of anything else.
  kRole,
  kNoOperator,
  kPassphraseWait,
  kPassphraseWrong,
  kPassphraseNone,
  kOwnProposal,
  kProposalOver,
  kProposalsFull,
  kCodeWait,
  kCodeWrong,
  kLogIn,
  kRequestOver,
  kMoreGuardians,
  kNotHere,
  kQuoteForgotten,
  kReissueWait,
  kReissueLeave,
  kEnrolled,
  kEnrolmentHalf,
  kCardTaken,
  kNoPlacement,
  kPolicy,
  kExposure,
  kCannotRestore,
  kNotStored,
  kUploadsFull,
  kPreparing,
  kUploadGone,
  kNoReference,
  kNotSorted,
  kAssembly,
  kNoGenome,
  kIndex,
  kOtherRecords,
  kByOperator,
  kWaitsForKey,
  kNoAnswer,
  kNoControl,
  kTooManyGivers,
  kViewsFull,
  // What is wrong with a share on a site's disk.
  kShareRotten,
  kShareLength,
  kShareHead,
  // What is wrong with a key device.
  kQberHigh,
  kKeyRateLow,
  kDeviceSilent,
  kDeviceRefuses,
  kDeviceOdd,
};

// "wrong_tag"; empty for kNone.
[[nodiscard]] std::string_view reason_name(Reason reason);
// The other way; none for a word that is not in the table, and for an empty one.
[[nodiscard]] std::optional<Reason> reason_of_name(std::string_view name);

constexpr std::size_t kMostErrorBytes = 2000;

// The message, cut to `most_bytes`, and behind it " (word)" if there is a reason.
[[nodiscard]] std::string error_text(const Error& error, std::size_t most_bytes = kMostErrorBytes);
// The other way. Any text will do: one that ends in no known word has no reason.
[[nodiscard]] Error error_of_text(Code code, std::string_view text);

}  // namespace warifu
