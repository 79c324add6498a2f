// The desk where clinicians and researchers ask for a consent: what they wish for is checked and
// written down, waits for the person, and becomes the wish that a card is asked to prove.
//
// It decides nothing and proves nothing: a request is a piece of paper. The person reads the text
// that is written anew from the grant, and every site's gate judges the grant alone (ADR 0048).
// Holds no state of its own; any thread.
#pragma once

#include "control/consent_desk.h"

namespace warifu::control {

inline constexpr std::chrono::days kLongestRequest{90};

struct RequestTerms {
  std::string object;  // empty: the only object that is stored of `person`
  std::string person;  // may be empty with an object
  std::string purpose, grantee, grantee_id, destination;
  std::vector<std::string> data_use, regions;
  std::uint32_t decoys = 0;  // beside each region; more than none: holders do not learn which
  std::uint16_t uses = 1;
  std::chrono::seconds valid{3600};        // of the consent, from when it is given
  std::chrono::seconds open{7 * 86'400L};  // how long the request waits
  std::string note;                        // to the person
};

class RequestDesk {
 public:
  RequestDesk(SiteContext& site, catalog::Catalog& catalog) : site_(site), catalog_(catalog) {}

  // Durable and in the log when it returns. Errors: kInvalidArgument naming the term, kNotFound
  // (object, person), kRefused (the object is not stored), kBusy (too many wait for the person).
  [[nodiscard]] Result<catalog::Request> ask(const RequestTerms& terms);
  // The terms as a wish; card, index and language are the terminal's to add. Errors: kNotFound;
  // kRefused unless it still waits.
  [[nodiscard]] Result<ConsentWish> wish_of(const catalog::RequestId& request);
  // Of a request with regions: the same for its consent to the index, by which the regions are
  // found (ADR 0043). Errors: kInvalidArgument without regions; the same.
  [[nodiscard]] Result<ConsentWish> index_wish_of(const catalog::RequestId& request);
  // The consent to the index that the person gave since to the same grantee for the same purpose
  // and place, and that neither ended nor led to another consent: a ceremony that broke off goes on
  // with it. None where the request has no regions, or waits no more. It may be used up: the gates
  // know. Errors: kCorrupt.
  [[nodiscard]] Result<std::optional<GrantId>> index_consent_of(const catalog::Request& request);
  // `grant` was prepared for it: once a card has proved it, the request is given. Errors: the same.
  [[nodiscard]] Result<> offer(const catalog::RequestId& request, ByteView grant);
  // The person says no; the log has it. Errors: kNotFound; kRefused unless it still waits.
  [[nodiscard]] Result<catalog::Request> refuse(const catalog::RequestId& request,
                                                const std::string& why);
  // Whoever asked does not need it any more. Errors: the same.
  [[nodiscard]] Result<catalog::Request> cancel(const catalog::RequestId& request);

 private:
  Result<catalog::Object> object_of(const RequestTerms& terms);

  SiteContext& site_;
  catalog::Catalog& catalog_;
};

}  // namespace warifu::control
