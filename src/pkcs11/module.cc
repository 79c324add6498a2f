// Calls into a module.
#include "pkcs11/module.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <vector>

#include <p11-kit/pkcs11.h>

#include "crypto/card_certificate.h"
#include "crypto/crypto.h"
#include "crypto/rsa.h"

namespace warifu::pkcs11 {
namespace {

constexpr CK_ULONG kMaxSlots = 64;
constexpr CK_ULONG kMaxObjects = 64;

std::string name_of(CK_RV code) {
  switch (code) {
    case CKR_PIN_INCORRECT: return "CKR_PIN_INCORRECT";
    case CKR_PIN_LOCKED: return "CKR_PIN_LOCKED";
    case CKR_PIN_LEN_RANGE: return "CKR_PIN_LEN_RANGE";
    case CKR_TOKEN_NOT_PRESENT: return "CKR_TOKEN_NOT_PRESENT";
    case CKR_DEVICE_REMOVED: return "CKR_DEVICE_REMOVED";
    case CKR_DEVICE_ERROR: return "CKR_DEVICE_ERROR";
    case CKR_USER_NOT_LOGGED_IN: return "CKR_USER_NOT_LOGGED_IN";
    case CKR_MECHANISM_INVALID: return "CKR_MECHANISM_INVALID";
    case CKR_KEY_FUNCTION_NOT_PERMITTED: return "CKR_KEY_FUNCTION_NOT_PERMITTED";
    default: return "error " + std::to_string(code);
  }
}

std::unexpected<Error> refused_by(const std::string& what, CK_RV code) {
  const bool away =
      code == CKR_TOKEN_NOT_PRESENT || code == CKR_DEVICE_REMOVED || code == CKR_DEVICE_ERROR;
  return fail(away ? Code::kUnavailable : Code::kProtocol,
              "the token answers " + what + " with " + name_of(code));
}

// Text of fixed length, padded with blanks; what is no plain text becomes '?'.
template <std::size_t kSize>
std::string text_of(const unsigned char (&field)[kSize]) {
  std::string text(reinterpret_cast<const char*>(field), kSize);
  text.erase(text.find_last_not_of(std::string_view(" \0", 2)) + 1);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

std::string quoted(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
  return list.empty() ? "none" : list;
}

}  // namespace

struct Module::State {
  void* library = nullptr;
  CK_FUNCTION_LIST* call = nullptr;
  bool started = false;
  CK_SLOT_ID slot = 0;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  Bytes certificate;
  Bytes key_id;
  secret::Buffer pin;  // for keys that want it again at every signature

  Result<CK_TOKEN_INFO> token_info(CK_SLOT_ID of) const {
    CK_TOKEN_INFO info{};
    const CK_RV code = call->C_GetTokenInfo(of, &info);
    if (code != CKR_OK) return refused_by("who it is", code);
    return info;
  }

  Result<Bytes> attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    CK_ATTRIBUTE wanted{type, nullptr, 0};
    CK_RV code = call->C_GetAttributeValue(session, object, &wanted, 1);
    if (code != CKR_OK) return refused_by("the question for an attribute", code);
    if (wanted.ulValueLen > crypto::kMaxCertificateBytes) {
      return fail(Code::kProtocol, "the token announces an attribute of impossible length");
    }
    Bytes value(wanted.ulValueLen);
    wanted.pValue = value.data();
    code = call->C_GetAttributeValue(session, object, &wanted, 1);
    if (code != CKR_OK) return refused_by("the question for an attribute", code);
    value.resize(std::min<std::size_t>(value.size(), wanted.ulValueLen));
    return value;
  }

  Result<std::vector<CK_OBJECT_HANDLE>> objects(CK_OBJECT_CLASS type, ByteView id) const {
    std::array<CK_ATTRIBUTE, 2> wanted = {
        CK_ATTRIBUTE{CKA_CLASS, &type, sizeof type},
        CK_ATTRIBUTE{CKA_ID, const_cast<Byte*>(id.data()), id.size()}};
    CK_RV code = call->C_FindObjectsInit(session, wanted.data(), id.empty() ? 1 : 2);
    if (code != CKR_OK) return refused_by("a search", code);
    std::vector<CK_OBJECT_HANDLE> found(kMaxObjects);
    CK_ULONG count = 0;
    code = call->C_FindObjects(session, found.data(), kMaxObjects, &count);
    (void)call->C_FindObjectsFinal(session);
    if (code != CKR_OK) return refused_by("a search", code);
    found.resize(std::min(count, kMaxObjects));
    return found;
  }

  Result<CK_SLOT_ID> find_token(const std::string& label) const;
  Result<> find_certificate(ByteView key);
  Result<Bytes> sign_with(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mechanism, ByteView input,
                          bool again) const;
};

Module::Module(std::unique_ptr<State> state) : state_(std::move(state)) {}

Module::~Module() {
  if (state_->session != CK_INVALID_HANDLE) (void)state_->call->C_CloseSession(state_->session);
  if (state_->started) (void)state_->call->C_Finalize(nullptr);
  // The library stays: modules leave threads and exit handlers behind that would miss it.
}

Result<std::unique_ptr<Module>> Module::load(const std::string& file) {
  auto state = std::make_unique<State>();
  state->library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (state->library == nullptr) {
    const char* why = ::dlerror();
    return fail(Code::kNotFound, "PKCS #11 module '" + file + "' cannot be loaded: " +
                                     (why == nullptr ? "no reason given" : why));
  }
  const auto get =
      reinterpret_cast<CK_C_GetFunctionList>(::dlsym(state->library, "C_GetFunctionList"));
  if (get == nullptr || get(&state->call) != CKR_OK || state->call == nullptr) {
    return fail(Code::kNotFound, "'" + file + "' is no PKCS #11 module");
  }
  const CK_RV code = state->call->C_Initialize(nullptr);
  if (code != CKR_OK) {
    return fail(Code::kUnavailable,
                "PKCS #11 module '" + file + "' does not start: " + name_of(code));
  }
  state->started = true;
  return std::unique_ptr<Module>(new Module(std::move(state)));
}

Result<CK_SLOT_ID> Module::State::find_token(const std::string& label) const {
  std::array<CK_SLOT_ID, kMaxSlots> slots{};
  CK_ULONG count = 0;
  // Without a place for the answer first: OpenSC looks for readers then only.
  (void)call->C_GetSlotList(CK_TRUE, nullptr, &count);
  count = slots.size();
  const CK_RV code = call->C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (code != CKR_OK) return refused_by("the question for its tokens", code);
  std::vector<std::string> labels;
  std::vector<CK_SLOT_ID> fitting;
  for (CK_ULONG i = 0; i < std::min<CK_ULONG>(count, slots.size()); ++i) {
    const auto info = token_info(slots[i]);
    if (!info) continue;
    labels.push_back(text_of(info->label));
    if (label.empty() || labels.back() == label) fitting.push_back(slots[i]);
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty()) {
    return fail(Code::kNotFound,
                "the module has no token '" + label + "'; tokens: " + quoted(labels));
  }
  return fail(Code::kInvalidArgument,
              "the module has several tokens; choose one with --token-label: " + quoted(labels));
}

Result<> Module::State::find_certificate(ByteView key) {
  TRY_ASSIGN(auto found, objects(CKO_CERTIFICATE, key));
  // Cards carry the certificates of their authorities as well, which are nobody's to sign with.
  std::erase_if(found, [&](CK_OBJECT_HANDLE one) {
    const auto der = attribute(one, CKA_VALUE);
    return der && crypto::Authorities().add(*der, "").has_value();
  });
  if (found.empty()) {
    return fail(Code::kNotFound, key.empty()
                                     ? "the token shows no certificate without its PIN"
                                     : "the token shows no certificate with id " + to_hex(key));
  }
  if (found.size() > 1) {
    std::vector<std::string> ids;
    for (const CK_OBJECT_HANDLE one : found) {
      TRY_ASSIGN(const Bytes id, attribute(one, CKA_ID));
      ids.push_back(to_hex(id));
    }
    return fail(Code::kInvalidArgument,
                "the token has several certificates; choose one with --key-id: " + quoted(ids));
  }
  TRY_ASSIGN(certificate, attribute(found.front(), CKA_VALUE));
  TRY_ASSIGN(key_id, attribute(found.front(), CKA_ID));
  return {};
}

Result<Found> Module::find(const std::string& token, ByteView key) {
  State& state = *state_;
  TRY_ASSIGN(state.slot, state.find_token(token));
  TRY_ASSIGN(const CK_TOKEN_INFO info, state.token_info(state.slot));
  if (state.session != CK_INVALID_HANDLE) (void)state.call->C_CloseSession(state.session);
  const CK_RV code =
      state.call->C_OpenSession(state.slot, CKF_SERIAL_SESSION, nullptr, nullptr, &state.session);
  if (code != CKR_OK) return refused_by("a session", code);
  TRY(state.find_certificate(key));
  return Found{state.certificate, text_of(info.label), text_of(info.manufacturerID), {}};
}

Result<> Module::log_in(ByteView pin) {
  State& state = *state_;
  TRY_ASSIGN(const CK_TOKEN_INFO info, state.token_info(state.slot));
  const bool none_left = (info.flags & CKF_USER_PIN_LOCKED) != 0;
  if (none_left) return fail(Code::kRefused, "the token's PIN is blocked");
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
    return fail(Code::kRefused,
                "only one try of the token's PIN is left, and it is not spent here; a wrong one "
                "would block it");
  }
  state.pin = secret::Buffer::copy_of(pin);
  const CK_RV code =
      state.call->C_Login(state.session, CKU_USER, state.pin.bytes().data(), state.pin.size());
  if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return {};
  state.pin = {};
  switch (code) {
    case CKR_PIN_INCORRECT: return fail(Code::kRefused, "wrong PIN");
    case CKR_PIN_LOCKED: return fail(Code::kRefused, "wrong PIN, which is now blocked");
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_INVALID:
      return fail(Code::kInvalidArgument, "the token has no such PIN: its length is wrong");
    default: return refused_by("its PIN", code);
  }
}

Result<Bytes> Module::State::sign_with(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mechanism,
                                       ByteView input, bool again) const {
  CK_MECHANISM how{mechanism, nullptr, 0};
  CK_RV code = call->C_SignInit(session, &how, key);
  if (code == CKR_MECHANISM_INVALID) return fail(Code::kNotFound, name_of(code));
  if (code != CKR_OK) return refused_by("the request to sign", code);
  if (again) {
    secret::Buffer once = secret::Buffer::copy_of(pin.bytes());
    code = call->C_Login(session, CKU_CONTEXT_SPECIFIC, once.bytes().data(), once.size());
    if (code != CKR_OK) return refused_by("its PIN for the signature", code);
  }
  Bytes signature(crypto::kMaxSignatureBytes);
  CK_ULONG size = signature.size();
  code =
      call->C_Sign(session, const_cast<Byte*>(input.data()), input.size(), signature.data(), &size);
  if (code != CKR_OK) return refused_by("the request to sign", code);
  signature.resize(std::min<std::size_t>(size, signature.size()));
  return signature;
}

Result<Bytes> Module::sign(ByteView message) {
  State& state = *state_;
  TRY_ASSIGN(const auto facts, crypto::describe_certificate(state.certificate));
  TRY_ASSIGN(const auto keys, state.objects(CKO_PRIVATE_KEY, state.key_id));
  if (keys.empty()) {
    return fail(Code::kNotFound, "the token shows no private key with the id of its certificate");
  }
  const auto wish = state.attribute(keys.front(), CKA_ALWAYS_AUTHENTICATE);
  const bool again = wish && !wish->empty() && wish->front() != 0;
  const CK_OBJECT_HANDLE key = keys.front();
  switch (facts.scheme) {
    case crypto::SignatureScheme::kRsaSha256: {
      auto signature = state.sign_with(key, CKM_SHA256_RSA_PKCS, message, again);
      if (signature || signature.error().code != Code::kNotFound) return signature;
      return state.sign_with(key, CKM_RSA_PKCS, crypto::sha256_digest_info(message), again);
    }
    case crypto::SignatureScheme::kEcdsaP256Sha256:
      return state.sign_with(key, CKM_ECDSA, crypto::sha256(message), again);
    case crypto::SignatureScheme::kEcdsaP384Sha384:
      return state.sign_with(key, CKM_ECDSA, crypto::sha384(message), again);
  }
  return fail(Code::kNotFound, "the token's key is of no known kind");
}

}  // namespace warifu::pkcs11
