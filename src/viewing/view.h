// One view: what somebody may look at, until when, and how often it was looked at.
//
// The records live as long as the view and whoever still holds it; ended, it gives nothing any
// more. Thread-safe.
#pragma once

#include <chrono>

#include "audit/log.h"
#include "consent/grantee.h"
#include "consent/scope.h"
#include "crypto/crypto.h"
#include "os/system.h"
#include "viewing/records.h"

namespace warifu::viewing {

using ViewId = Id16<struct ViewTag>;

inline constexpr unsigned kBurst = 100;                 // requests at once
inline constexpr unsigned kPerSecond = 20;              // and from then on
inline constexpr std::uint64_t kMostRequests = 50'000;  // of a view: it bounds the log as well

struct ViewTerms {
  ViewId id;
  ObjectId object;
  std::vector<GrantId> grants;  // several guardians' consents count together; the first was shown
  std::string grantee;          // "role:clinician"
  consent::Scope scope;         // the regions
  htsget::Mode mode = htsget::Mode::kStrict;
  audit::Fields about;    // for the log: whose data, for whom (control/access_line.h)
  std::string opened_by;  // the operator; empty in single-operator mode
  JobId job;              // the restore that filled it
  os::UnixMs opened, expires;
};

class View {
 public:
  // `token`: digest of the bearer token.
  View(ViewTerms terms, const crypto::Digest& token, std::unique_ptr<Records> records)
      : terms_(std::move(terms)), token_(token), records_(std::move(records)) {}

  [[nodiscard]] const ViewTerms& terms() const { return terms_; }
  [[nodiscard]] Records& records() { return *records_; }
  // In time that does not depend on the digest.
  [[nodiscard]] bool has_token(const crypto::Digest& token) const;
  // Counts a request. Errors: kTooManyRequests.
  [[nodiscard]] htsget::Answer<bool> count(std::chrono::nanoseconds now);
  // A part of an answer has gone out; records: what was asked for, not a header alone.
  void given(std::uint64_t bytes, bool records) {
    bytes_given_ += bytes;
    if (records) ++answers_given_;
  }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t answers_given() const { return answers_given_; }
  [[nodiscard]] std::uint64_t bytes_given() const { return bytes_given_; }
  void end() { ended_ = true; }
  [[nodiscard]] bool has_ended() const { return ended_; }

 private:
  const ViewTerms terms_;
  const crypto::Digest token_;
  std::unique_ptr<Records> records_;
  std::atomic<bool> ended_ = false;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> answers_given_ = 0;
  std::atomic<std::uint64_t> bytes_given_ = 0;
  std::mutex mutex_;
  double allowance_ = kBurst;
  std::chrono::nanoseconds looked_{};
};

}  // namespace warifu::viewing
