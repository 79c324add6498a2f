// A key on a PKCS #11 token as a signer, and the process that its module runs in.
#include "apps/card_signer.h"
#include "base/units.h"
#include "pkcs11/helper.h"
#include "pkcs11/token.h"

namespace warifu::apps {
namespace {

class TokenSigner final : public CardSigner {
 public:
  TokenSigner(std::unique_ptr<pkcs11::Token> token, std::string module)
      : token_(std::move(token)), module_(std::move(module)) {}

  Result<Bytes> certificate() override { return token_->found().certificate; }
  Result<boost::json::object> describe() override {
    return boost::json::object{{"application", "pkcs11"},
                               {"token", token_->found().token},
                               {"maker", token_->found().maker},
                               {"module", module_}};
  }
  Result<> unlock(ByteView pin) override { return token_->log_in(pin); }
  Result<Bytes> sign(ByteView message) override { return token_->sign(message); }

 private:
  std::unique_ptr<pkcs11::Token> token_;
  std::string module_;
};

}  // namespace

Result<std::unique_ptr<CardSigner>> token_signer(const CardOptions& options) {
  pkcs11::TokenChoice choice{.module = options.module, .label = options.token_label};
  auto key_id = from_hex(options.key_id);
  if (!key_id) return fail_in("--key-id", key_id.error());
  choice.key_id = std::move(*key_id);
  TRY_ASSIGN(const std::uint64_t patience, parse_duration(options.wait));
  choice.patience = std::chrono::seconds(patience);
  TRY_ASSIGN(auto token, pkcs11::Token::open(choice, "/proc/self/exe"));
  return std::make_unique<TokenSigner>(std::move(token), options.module);
}

Result<> pkcs11_helper(const std::string& module) {
  return pkcs11::serve_module(module);
}

}  // namespace warifu::apps
