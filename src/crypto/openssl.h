// Owners of OpenSSL objects and the text of its error queue. Only files of this folder include
// this.
//
// Thread rule: the error queue belongs to the calling thread; every failing call takes it at once.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "base/bytes.h"

namespace warifu::crypto {

template <auto Free>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslFree<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, OpensslFree<X509_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>>;

// Empties this thread's error queue into one text: "reason; reason". "no reason given" when empty.
[[nodiscard]] std::string openssl_errors();

// The first certificate of a PEM text; nullptr when there is none (the error queue says why).
[[nodiscard]] CertificatePtr certificate_from_pem(const std::string& pem);
// nullptr unless the bytes are those of one certificate (DER) and no more; the error queue is
// empty.
[[nodiscard]] CertificatePtr certificate_from_der(ByteView der);

}  // namespace warifu::crypto
