// What every site does with signature cards for share control: enrols one after it has judged its
// certificate, and takes its signature over a grant for a proof (requests 63 and 64,
// docs/formats/site-requests.md). The gate decides; nothing is decided here.
//
// Thread-safe; handlers run on the channel's threads.
#pragma once

#include "consent/signature_trust.h"
#include "control/share_service.h"

namespace warifu::control {

// A grant with the card's signature over it.
struct SignedProof {
  Bytes grant;
  Bytes signature;
};

[[nodiscard]] Bytes encode(const consent::SignatureEnrolment& enrolment);
[[nodiscard]] Result<consent::SignatureEnrolment> decode_signature_enrolment(ByteView body);
[[nodiscard]] Bytes encode(const SignedProof& proof);
[[nodiscard]] Result<SignedProof> decode_signed_proof(ByteView body);

// `site` must outlive the server.
void add_signature_handlers(SiteContext& site, channel::Server& server);

// Share control's side: asks the site `at`, this one or another. Errors: that site's, with its name
// in front; those of the way there.
[[nodiscard]] Result<card::CardKind> enrol_signature_at(
    SiteContext& site, const SiteName& at, const consent::SignatureEnrolment& enrolment);
[[nodiscard]] Result<consent::Evidence> prove_signature_at(SiteContext& site, const SiteName& at,
                                                           const SignedProof& proof);

}  // namespace warifu::control
