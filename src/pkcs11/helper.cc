// Questions in, answers out.
#include "pkcs11/helper.h"

#include <fcntl.h>
#include <unistd.h>

#include "pkcs11/confine.h"
#include "pkcs11/messages.h"
#include "pkcs11/module.h"
#include "wire/wire.h"

namespace warifu::pkcs11 {
namespace {

constexpr std::chrono::hours kUntilNobodyAsks(1);

// Modules print where they please; the socket must not be among it.
Result<int> take_socket() {
  const int socket = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (socket < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0 ||
      ::dup2(STDERR_FILENO, STDIN_FILENO) < 0) {
    return fail(Code::kIo, "the helper process has no socket to its parent");
  }
  return socket;
}

secret::Buffer answer_to(Module& module, os::FileSandbox files, ByteView frame) {
  wire::Reader reader(frame, "question to the helper process");
  switch (static_cast<Question>(reader.u8())) {
    case Question::kFind: {
      const std::string token = reader.text(kMaxTokenLabel);
      const ByteView key = reader.blob(kMaxKeyIdBytes);
      if (const auto read = reader.finish(); !read) return encode_answer(read);
      auto found = module.find(token, key);
      if (found) found->files = files;
      return encode_answer(found);
    }
    case Question::kLogIn: {
      const ByteView pin = reader.blob(kMaxTokenPin);
      if (const auto read = reader.finish(); !read) return encode_answer(read);
      return encode_answer(module.log_in(pin));
    }
    case Question::kSign: {
      const ByteView message = reader.blob(kMaxSignedBytes);
      if (const auto read = reader.finish(); !read) return encode_answer(read);
      return encode_answer(module.sign(message));
    }
  }
  return encode_answer(Result<>(fail(Code::kProtocol, "an unknown question")));
}

}  // namespace

Result<> serve_module(const std::string& file, const std::vector<std::string>& folders) {
  TRY_ASSIGN(const int socket, take_socket());
  const auto files = confine(socket, file, folders);
  // A folder that is not there is worth an answer; nothing is loaded then.
  const auto module = files ? Module::load(file) : std::unexpected(files.error());
  for (;;) {
    const auto frame = receive_frame(socket, kUntilNobodyAsks);
    if (!frame) {
      const bool over = frame.error().code == Code::kUnavailable;
      return over ? Result<>() : std::unexpected(frame.error());
    }
    const secret::Buffer answer = module ? answer_to(**module, *files, frame->bytes())
                                         : encode_answer(Result<>(std::unexpected(module.error())));
    TRY(send_frame(socket, answer.bytes()));
  }
}

}  // namespace warifu::pkcs11
