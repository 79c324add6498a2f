// A key on a PKCS #11 token, as the program sees it: the module is in a helper process, which is
// asked and given so much time for each answer. A module that crashes or hangs costs this command
// and nothing else; what it answers is believed as little as a stranger's word: the certificate is
// judged by every site, the signature is checked against it.
//
// The helper ends with the object. One thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "pkcs11/messages.h"

namespace warifu::pkcs11 {

struct TokenChoice {
  std::string module;                // file
  std::vector<std::string> folders;  // where it keeps its files; nothing else is open to it
  std::string label;                 // of the token; empty: the only one
  Bytes key_id;                      // CKA_ID; empty: the only certificate
  std::chrono::milliseconds patience = std::chrono::seconds(60);  // for each answer
};

class Token {
 public:
  // Starts `program` (this program, as a rule) as the helper. Errors: kNotFound, kInvalidArgument
  // naming what there is to choose from; kUnavailable when the module died, kTimeout when it hangs;
  // kIo.
  [[nodiscard]] static Result<std::unique_ptr<Token>> open(const TokenChoice& choice,
                                                           const std::string& program);
  ~Token();
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  [[nodiscard]] const Found& found() const { return found_; }
  // Errors: kRefused, also without a try spent when only one is left; those of open().
  [[nodiscard]] Result<> log_in(ByteView pin);
  // As verify_signature() of crypto wants it. Errors: the token's; those of open().
  [[nodiscard]] Result<Bytes> sign(ByteView message);

 private:
  Token(TokenChoice choice, pid_t helper, int socket)
      : choice_(std::move(choice)), helper_(helper), socket_(socket) {}
  Result<secret::Buffer> ask(ByteView question);
  // Ends the helper, unless it ends by itself in that time; how it ended.
  std::string end(std::chrono::milliseconds patience);

  TokenChoice choice_;
  pid_t helper_;
  int socket_;
  Found found_;
};

}  // namespace warifu::pkcs11
