// Starting, asking and ending the helper process.
#include "pkcs11/token.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "crypto/card_certificate.h"

namespace warifu::pkcs11 {
namespace {

constexpr std::chrono::milliseconds kLook(10);

// Both ends of a socket; the second is for the helper.
struct Ends {
  int own = -1;
  int other = -1;
};

Result<Ends> make_ends() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Code::kIo,
                std::string("no socket for the helper process: ") + std::strerror(errno));
  }
  return Ends{ends[0], ends[1]};
}

Result<pid_t> start(const std::string& program, const TokenChoice& choice, int socket) {
  posix_spawn_file_actions_t actions{};
  WARIFU_CHECK(::posix_spawn_file_actions_init(&actions) == 0);
  WARIFU_CHECK(::posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO) == 0);
  std::vector<std::string> words = {"warifu", "pkcs11-helper", "--module", choice.module};
  for (const std::string& folder : choice.folders) {
    words.insert(words.end(), {"--module-files", folder});
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t helper = 0;
  // Modules are configured by the environment (SOFTHSM2_CONF, OPENSC_CONF).
  const int failed =
      ::posix_spawn(&helper, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return fail(Code::kIo,
                std::string("the helper process does not start: ") + std::strerror(failed));
  }
  return helper;
}

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<std::unique_ptr<Token>> Token::open(const TokenChoice& choice, const std::string& program) {
  if (choice.label.size() > kMaxTokenLabel || choice.key_id.size() > kMaxKeyIdBytes) {
    return fail(Code::kInvalidArgument, "a token's label has at most 32 bytes, a key's id 64");
  }
  TRY_ASSIGN(const Ends ends, make_ends());
  const auto helper = start(program, choice, ends.other);
  ::close(ends.other);
  if (!helper) {
    ::close(ends.own);
    return std::unexpected(helper.error());
  }
  std::unique_ptr<Token> token(new Token(choice, *helper, ends.own));
  const secret::Buffer question = encode_find(choice.label, choice.key_id);
  TRY_ASSIGN(const secret::Buffer answer, token->ask(question.bytes()));
  TRY_ASSIGN(token->found_, decode_found(answer.bytes()));
  return token;
}

Token::~Token() {
  (void)end({});
}

std::string Token::end(std::chrono::milliseconds patience) {
  if (helper_ <= 0) return {};
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  int status = 0;
  // It may be dying by itself just now: then its own end is what counts.
  pid_t over = 0;
  for (auto left = patience; (over = ::waitpid(helper_, &status, WNOHANG)) == 0 && left.count() > 0;
       left -= kLook) {
    std::this_thread::sleep_for(kLook);
  }
  const bool by_itself = over == helper_;
  if (!by_itself) {
    ::kill(helper_, SIGKILL);
    do {
      over = ::waitpid(helper_, &status, 0);
    } while (over < 0 && errno == EINTR);
  }
  helper_ = -1;
  return by_itself ? ending_of(status) : "closed its socket and went on, and was ended";
}

Result<secret::Buffer> Token::ask(ByteView question) {
  if (helper_ <= 0) {
    return fail(Code::kUnavailable, "PKCS #11 module '" + choice_.module + "' has ended");
  }
  const auto sent = send_frame(socket_, question);
  auto answer = sent ? receive_frame(socket_, choice_.patience)
                     : Result<secret::Buffer>(std::unexpected(sent.error()));
  if (answer) return answer;
  if (answer.error().code == Code::kTimeout) {
    (void)end({});
    return fail(
        Code::kTimeout,
        "PKCS #11 module '" + choice_.module + "' did not answer in " +
            std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(choice_.patience).count()) +
            " s and was ended");
  }
  if (answer.error().code != Code::kUnavailable) {
    (void)end({});
    return fail_in("PKCS #11 module '" + choice_.module + "'", answer.error());
  }
  return fail(Code::kUnavailable, "the process of PKCS #11 module '" + choice_.module + "' " +
                                      end(std::chrono::seconds(2)));
}

Result<> Token::log_in(ByteView pin) {
  if (pin.size() > kMaxTokenPin) {
    return fail(Code::kInvalidArgument, "the PIN is too long");
  }
  const secret::Buffer question = encode_log_in(pin);
  TRY_ASSIGN(const secret::Buffer answer, ask(question.bytes()));
  return decode_done(answer.bytes());
}

Result<Bytes> Token::sign(ByteView message) {
  if (message.size() > kMaxSignedBytes) {
    return fail(Code::kInvalidArgument, "the message is too long");
  }
  TRY_ASSIGN(const auto facts, crypto::describe_certificate(found_.certificate));
  const secret::Buffer question = encode_sign(message);
  TRY_ASSIGN(const secret::Buffer answer, ask(question.bytes()));
  TRY_ASSIGN(Bytes signature, decode_signature(answer.bytes()));
  if (facts.scheme == crypto::SignatureScheme::kRsaSha256) return signature;
  return crypto::ecdsa_to_der(signature);
}

}  // namespace warifu::pkcs11
