// Sessions over a BIO of our own that reads from the fed view and appends to the output.
#include "crypto/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "crypto/openssl.h"

namespace warifu::crypto {

// The transport below a session, as OpenSSL calls it.
struct TlsTransport {
  static int read(BIO* bio, char* out, int size) {
    auto& session = *static_cast<TlsSession*>(::BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (session.input_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = std::min(session.input_.size(), static_cast<std::size_t>(size));
    std::memcpy(out, session.input_.data(), count);
    session.input_ = session.input_.subspan(count);
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    auto& session = *static_cast<TlsSession*>(::BIO_get_data(bio));
    const auto* first = reinterpret_cast<const Byte*>(bytes);
    session.output_.insert(session.output_.end(), first, first + size);
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const instance = [] {
      BIO_METHOD* made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "warifu");
      WARIFU_CHECK(made != nullptr && ::BIO_meth_set_read(made, &TlsTransport::read) == 1 &&
                   ::BIO_meth_set_write(made, &TlsTransport::write) == 1 &&
                   ::BIO_meth_set_ctrl(made, &TlsTransport::control) == 1);
      return made;
    }();
    return instance;
  }
};

namespace {

Result<> check_readable(const char* what, const std::string& path) {
  if (path.empty()) return fail(Code::kInvalidArgument, std::string(what) + " has no path");
  const std::ifstream file(path);
  if (file.good()) return {};
  const int reason = errno;
  return fail(reason == ENOENT ? Code::kNotFound : Code::kIo,
              "cannot read " + std::string(what) + " '" + path + "': " + std::strerror(reason));
}

std::unexpected<Error> bad_file(const char* what, const std::string& path) {
  return fail(Code::kCorrupt,
              std::string(what) + " '" + path + "' cannot be used: " + openssl_errors());
}

// An encrypted key must not make a service stop and ask on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

Result<> load_files(SSL_CTX* context, const TlsConfig& config) {
  TRY(check_readable("certificate", config.certificate_path));
  TRY(check_readable("private key", config.key_path));
  if (!config.anonymous_clients) TRY(check_readable("CA file", config.ca_path));
  ::SSL_CTX_set_default_passwd_cb(context, &no_password);
  if (::SSL_CTX_use_certificate_chain_file(context, config.certificate_path.c_str()) != 1) {
    return bad_file("certificate", config.certificate_path);
  }
  if (::SSL_CTX_use_PrivateKey_file(context, config.key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = ERR_GET_REASON(::ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    if (!other) return bad_file("private key", config.key_path);
    ::ERR_clear_error();
    return fail(Code::kInvalidArgument, "private key '" + config.key_path +
                                            "' does not belong to certificate '" +
                                            config.certificate_path + "'");
  }
  if (config.anonymous_clients) return {};
  if (::SSL_CTX_load_verify_file(context, config.ca_path.c_str()) != 1) {
    return bad_file("CA file", config.ca_path);
  }
  return {};
}

// A name as it may stand in an allow-list: printable, and no NUL behind which another one hides.
Result<std::string> name_text(const ASN1_STRING* value, const char* what) {
  unsigned char* utf8 = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&utf8, value);
  if (size < 0) {
    return fail(Code::kRefused,
                std::string("certificate with an unreadable ") + what + ": " + openssl_errors());
  }
  const std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  ::OPENSSL_free(utf8);
  const bool plain =
      std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
  if (text.empty() || !plain) {
    return fail(Code::kRefused, std::string("certificate with an empty or unprintable ") + what);
  }
  return text;
}

Result<PeerIdentity> identity_of(X509* certificate) {
  PeerIdentity identity;
  std::array<Byte, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_size = 0;
  if (::X509_digest(certificate, ::EVP_sha256(), digest.data(), &digest_size) != 1) {
    return fail(Code::kRefused, "certificate without a digest: " + openssl_errors());
  }
  identity.fingerprint = to_hex(ByteView(digest).first(digest_size));
  const X509_NAME* subject = ::X509_get_subject_name(certificate);
  const int first = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first >= 0) {
    if (::X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) {
      return fail(Code::kRefused, "certificate with more than one common name");
    }
    TRY_ASSIGN(identity.common_name,
               name_text(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, first)),
                         "common name"));
  }
  int critical = 0;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical != -1) {
    (void)openssl_errors();
    return fail(Code::kRefused, "certificate with unreadable or repeated alternative names");
  }
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    TRY_ASSIGN(std::string uri, name_text(name->d.uniformResourceIdentifier, "URI name"));
    identity.uris.push_back(std::move(uri));
  }
  return identity;
}

Result<> set_expected_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* parameters = ::SSL_get0_param(ssl);
  ::X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (::X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) return {};
  ::ERR_clear_error();
  if (host.empty() || ::X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) != 1 ||
      SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) {
    return fail(Code::kInvalidArgument, "'" + host + "' is not a host name: " + openssl_errors());
  }
  return {};
}

}  // namespace

Result<PeerIdentity> identity_of_pem(const std::string& pem) {
  const CertificatePtr certificate = certificate_from_pem(pem);
  if (certificate == nullptr) {
    return fail(Code::kCorrupt, "not a certificate: " + openssl_errors());
  }
  return identity_of(certificate.get());
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(TlsSide side, const TlsConfig& config) {
  ::ERR_clear_error();
  const bool anonymous = config.anonymous_clients;
  WARIFU_CHECK(!anonymous || side == TlsSide::kServer);
  SSL_CTX* context =
      ::SSL_CTX_new(side == TlsSide::kServer ? ::TLS_server_method() : ::TLS_client_method());
  WARIFU_CHECK(context != nullptr);
  const std::shared_ptr<const TlsContext> made(new TlsContext(side, anonymous, context));
  WARIFU_CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  // TLS 1.2 only with forward secrecy and authenticated ciphers; TLS 1.3 has nothing else.
  WARIFU_CHECK(::SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  (void)::SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  ::SSL_CTX_set_verify(
      context, anonymous ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
      nullptr);
  TRY(load_files(context, config));
  if (side == TlsSide::kServer && !anonymous) {
    // Tells clients whose certificates are wanted.
    STACK_OF(X509_NAME)* names = ::SSL_load_client_CA_file(config.ca_path.c_str());
    if (names == nullptr) return bad_file("CA file", config.ca_path);
    ::SSL_CTX_set_client_CA_list(context, names);
  }
  return made;
}

TlsContext::~TlsContext() {
  ::SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsSession>> TlsSession::start(std::shared_ptr<const TlsContext> context,
                                                      const std::string& host) {
  ::ERR_clear_error();
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context)));
  session->ssl_ = ::SSL_new(session->context_->context_);
  BIO* bio = ::BIO_new(TlsTransport::method());
  WARIFU_CHECK(session->ssl_ != nullptr && bio != nullptr);
  ::BIO_set_data(bio, session.get());
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(session->ssl_, bio, bio);
  if (session->context_->side() == TlsSide::kServer) {
    ::SSL_set_accept_state(session->ssl_);
    return session;
  }
  ::SSL_set_connect_state(session->ssl_);
  TRY(set_expected_host(session->ssl_, host));
  return session;
}

TlsSession::~TlsSession() {
  ::SSL_free(ssl_);
}

std::unexpected<Error> TlsSession::failure(const char* during) {
  complete_ = false;  // OpenSSL allows no orderly end after a failure
  const int reason = ERR_GET_REASON(::ERR_peek_error());
  const long verdict = ::SSL_get_verify_result(ssl_);
  const std::string text = openssl_errors();
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
    return fail(Code::kRefused, std::string("the peer's certificate is not accepted: ") +
                                    ::X509_verify_cert_error_string(verdict));
  }
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    return fail(Code::kRefused, "the peer showed no certificate");
  }
  if (reason >= SSL_AD_REASON_OFFSET) {
    return fail(Code::kRefused, "the peer ended the TLS session: " + text);
  }
  const bool changed = reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC;
  return fail(changed ? Code::kCorrupt : Code::kProtocol,
              std::string("TLS failed during the ") + during + ": " + text);
}

Result<bool> TlsSession::handshake() {
  ::ERR_clear_error();
  const int done = ::SSL_do_handshake(ssl_);
  if (done == 1) {
    complete_ = true;
    return true;
  }
  if (::SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ) return false;
  return failure("handshake");
}

Result<std::size_t> TlsSession::read(MutableBytes out) {
  ::ERR_clear_error();
  std::size_t got = 0;
  const int done = ::SSL_read_ex(ssl_, out.data(), out.size(), &got);
  if (done == 1) return got;
  switch (::SSL_get_error(ssl_, done)) {
    case SSL_ERROR_WANT_READ: return 0;
    case SSL_ERROR_ZERO_RETURN: closed_ = true; return 0;
    default: return failure("transfer");
  }
}

Result<> TlsSession::write(ByteView plain) {
  ::ERR_clear_error();
  std::size_t put = 0;
  if (plain.empty()) return {};
  if (::SSL_write_ex(ssl_, plain.data(), plain.size(), &put) != 1) return failure("transfer");
  WARIFU_CHECK(put == plain.size());
  return {};
}

void TlsSession::close() {
  ::ERR_clear_error();
  if (complete_ && !(::SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN)) (void)::SSL_shutdown(ssl_);
  ::ERR_clear_error();
}

void TlsSession::feed(ByteView records) {
  WARIFU_CHECK(input_.empty());
  input_ = records;
}

void TlsSession::take_output(Bytes& into) {
  into.clear();
  into.swap(output_);
}

bool TlsSession::has_plain() {
  if (::SSL_pending(ssl_) > 0) return true;
  if (input_.empty() || !complete_) return false;
  ::ERR_clear_error();
  Byte next = 0;
  std::size_t got = 0;
  const int done = ::SSL_peek_ex(ssl_, &next, 1, &got);
  // An end or an error is something that read() will tell at once, too.
  const bool told = done == 1 || ::SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ;
  ::ERR_clear_error();
  return told;
}

Result<PeerIdentity> TlsSession::peer_identity() const {
  if (context_->anonymous_) return PeerIdentity{};
  const CertificatePtr certificate(::SSL_get1_peer_certificate(ssl_));
  if (certificate == nullptr || ::SSL_get_verify_result(ssl_) != X509_V_OK) {
    return fail(Code::kRefused, "the peer has no verified certificate");
  }
  return identity_of(certificate.get());
}

}  // namespace warifu::crypto
