// Requests 63 and 64.
#include "control/signature_service.h"

#include "wire/wire.h"

namespace warifu::control {
namespace {

Bytes blob_of(wire::Reader& reader, std::size_t most) {
  const ByteView bytes = reader.blob(most);
  return Bytes(bytes.begin(), bytes.end());
}

Result<card::CardKind> decode_signature_kind(ByteView body) {
  wire::Reader reader(body, "kind of a signature card");
  const auto kind = static_cast<card::CardKind>(reader.u8());
  if (!card::is_signature(kind)) reader.reject("it is unknown");
  TRY(reader.finish());
  return kind;
}

}  // namespace

Bytes encode(const consent::SignatureEnrolment& enrolment) {
  wire::Writer writer;
  writer.id(enrolment.person);
  writer.i64(enrolment.signed_at.value);
  writer.blob(enrolment.certificate);
  writer.blob(enrolment.signature);
  return writer.take();
}

Result<consent::SignatureEnrolment> decode_signature_enrolment(ByteView body) {
  wire::Reader reader(body, "enrolment of a signature card");
  consent::SignatureEnrolment enrolment;
  enrolment.person = reader.id<Pseudonym>();
  enrolment.signed_at = {reader.i64()};
  enrolment.certificate = blob_of(reader, crypto::kMaxCertificateBytes);
  enrolment.signature = blob_of(reader, crypto::kMaxSignatureBytes);
  TRY(reader.finish());
  return enrolment;
}

Bytes encode(const SignedProof& proof) {
  wire::Writer writer;
  writer.blob(proof.grant);
  writer.blob(proof.signature);
  return writer.take();
}

Result<SignedProof> decode_signed_proof(ByteView body) {
  wire::Reader reader(body, "signed grant");
  SignedProof proof;
  proof.grant = blob_of(reader, card::kMaxGrantBytes);
  proof.signature = blob_of(reader, crypto::kMaxSignatureBytes);
  TRY(reader.finish());
  return proof;
}

void add_signature_handlers(SiteContext& site, channel::Server& server) {
  server.handle(number(Method::kSignatureEnrol), [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const auto enrolment, decode_signature_enrolment(exchange.request().body));
    TRY_ASSIGN(const card::CardKind kind, site.gate.enrol_signature(enrolment));
    wire::Writer reply;
    reply.u8(static_cast<std::uint8_t>(kind));
    return exchange.reply(reply.take());
  });
  server.handle(number(Method::kSignatureProve), [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const SignedProof proof, decode_signed_proof(exchange.request().body));
    TRY_ASSIGN(const consent::Evidence evidence,
               site.gate.accept_signature(proof.grant, proof.signature));
    return exchange.reply(consent::encode_evidence(evidence));
  });
}

Result<card::CardKind> enrol_signature_at(SiteContext& site, const SiteName& at,
                                          const consent::SignatureEnrolment& enrolment) {
  if (at == site.config.name) return site.gate.enrol_signature(enrolment);
  auto answer = site.caller.ask(at, number(Method::kSignatureEnrol), encode(enrolment));
  if (!answer) return fail_in(at.text(), answer.error());
  return decode_signature_kind(*answer);
}

Result<consent::Evidence> prove_signature_at(SiteContext& site, const SiteName& at,
                                             const SignedProof& proof) {
  if (at == site.config.name) return site.gate.accept_signature(proof.grant, proof.signature);
  auto answer = site.caller.ask(at, number(Method::kSignatureProve), encode(proof));
  if (!answer) return fail_in(at.text(), answer.error());
  TRY_ASSIGN(const consent::Evidence evidence, consent::parse_evidence(*answer));
  if (evidence.site != at || !card::is_signature(evidence.kind)) {
    return fail(Code::kProtocol, at.text() + " answers with evidence of another kind");
  }
  return evidence;
}

}  // namespace warifu::control
