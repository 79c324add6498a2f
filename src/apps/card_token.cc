// A key on a PKCS #11 token as a signer, and the process that its module runs in.
#include <fmt/format.h>

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
                               {"module", module_},
                               {"file_sandbox", is_kept()}};
  }
  // Said before the PIN is given away.
  Result<> unlock(ByteView pin) override {
    if (!is_kept()) {
      fmt::print(stderr, "this kernel has no Landlock: the module can use all of your files\n");
    }
    return token_->log_in(pin);
  }
  Result<Bytes> sign(ByteView message) override { return token_->sign(message); }

 private:
  [[nodiscard]] bool is_kept() const { return token_->found().files == os::FileSandbox::kLandlock; }
  std::unique_ptr<pkcs11::Token> token_;
  std::string module_;
};

}  // namespace

Result<std::unique_ptr<CardSigner>> token_signer(const CardOptions& options) {
  pkcs11::TokenChoice choice{
      .module = options.module, .folders = options.module_files, .label = options.token_label};
  auto key_id = from_hex(options.key_id);
  if (!key_id) return fail_in("--key-id", key_id.error());
  choice.key_id = std::move(*key_id);
  TRY_ASSIGN(const std::uint64_t patience, parse_duration(options.wait));
  choice.patience = std::chrono::seconds(patience);
  TRY_ASSIGN(auto token, pkcs11::Token::open(choice, "/proc/self/exe"));
  return std::make_unique<TokenSigner>(std::move(token), options.module);
}

Result<> pkcs11_helper(const std::string& module, const std::vector<std::string>& folders) {
  return pkcs11::serve_module(module, folders);
}

}  // namespace warifu::apps
