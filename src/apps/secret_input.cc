// Straight into secret memory.
#include "apps/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>

#include "os/system.h"

namespace warifu::apps {
namespace {

// Bytes up to the first newline.
Result<secret::Buffer> read_line(const SecretInput& input, int descriptor) {
  secret::Buffer line(input.most);
  std::size_t size = 0;
  while (size < line.size()) {
    const ssize_t got = ::read(descriptor, line.bytes().data() + size, 1);
    if (got <= 0 || line.bytes()[size] == '\n') break;
    if (line.bytes()[size] != '\r') ++size;
  }
  line.shrink(size);
  if (size == 0)
    return fail(Code::kInvalidArgument, std::string("no ") + input.name + " was given");
  return line;
}

Result<secret::Buffer> ask_at_terminal(const SecretInput& input) {
  if (::isatty(STDIN_FILENO) == 0) {
    return fail(Code::kInvalidArgument,
                std::string("no terminal to ask for ") + input.name + "; use " + input.option);
  }
  std::fprintf(stderr, "%s: ", input.name);
  termios before{};
  (void)::tcgetattr(STDIN_FILENO, &before);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  auto line = read_line(input, STDIN_FILENO);
  (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fprintf(stderr, "\n");
  return line;
}

}  // namespace

Result<secret::Buffer> read_secret(const SecretInput& input, const std::string& file) {
  if (file.empty()) return ask_at_terminal(input);
  if (file == "-") return read_line(input, STDIN_FILENO);
  TRY_ASSIGN(const auto opened, os::real_files().open(file, os::OpenMode::kRead));
  secret::Buffer text(input.most);
  TRY_ASSIGN(const std::size_t size, opened->read_at(0, text.bytes()));
  std::size_t end = 0;
  while (end < size && text.bytes()[end] != '\n' && text.bytes()[end] != '\r') ++end;
  text.shrink(end);
  if (end > 0) return text;
  return fail(Code::kInvalidArgument, "'" + file + "' holds no " + input.name);
}

}  // namespace warifu::apps
