// A PKCS #11 module (OASIS PKCS #11 2.40) and one key on one of its tokens. Only ever in the helper
// process: a module is other people's code, which may crash, hang, or keep what it is given.
//
// The certificate is found without login; the private key is the one with the certificate's id.
// RSA: CKM_SHA256_RSA_PKCS, else CKM_RSA_PKCS over the DigestInfo. EC: CKM_ECDSA over SHA-256 for
// P-256, SHA-384 for P-384. One thread.
#pragma once

#include <memory>
#include <string>

#include "pkcs11/messages.h"

namespace warifu::pkcs11 {

class Module {
 public:
  // Errors: kNotFound (no such file, or no module), kUnavailable (it does not start).
  [[nodiscard]] static Result<std::unique_ptr<Module>> load(const std::string& file);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // `token`: its label; empty: the only one. `key`: CKA_ID; empty: the only certificate. Errors:
  // kNotFound, kInvalidArgument naming what there is to choose from.
  [[nodiscard]] Result<Found> find(const std::string& token, ByteView key);
  // Refused, without a try spent, when only one is left or none. Errors: kRefused.
  [[nodiscard]] Result<> log_in(ByteView pin);
  // Errors: kRefused before log_in(); kNotFound (no key, or of no known kind).
  [[nodiscard]] Result<Bytes> sign(ByteView message);

 private:
  struct State;
  explicit Module(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace warifu::pkcs11
