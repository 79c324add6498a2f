// Questions, answers, frames.
#include "pkcs11/messages.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "wire/wire.h"

namespace warifu::pkcs11 {
namespace {

constexpr std::size_t kMaxTextBytes = 1024;
constexpr std::size_t kMaxBlobBytes = 32 * 1024;

secret::Buffer kept(wire::Writer& writer) {
  Bytes bytes = writer.take();
  secret::Buffer out = secret::Buffer::copy_of(bytes);
  secret::wipe(bytes);
  return out;
}

secret::Buffer encode_error(const Error& error) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(error.code));
  writer.text(error.message.substr(0, kMaxTextBytes));
  return kept(writer);
}

// Behind the code of an answer; its Error when it is one.
Result<> check_answer(wire::Reader& reader) {
  const std::uint8_t code = reader.u8();
  if (code == 0) return reader.check();
  const std::string text = reader.text(kMaxTextBytes);
  TRY(reader.finish());
  return fail(code_from_number(code), text);
}

Bytes read_blob(wire::Reader& reader) {
  const ByteView bytes = reader.blob(kMaxBlobBytes);
  return Bytes(bytes.begin(), bytes.end());
}

std::unexpected<Error> gone() {
  return fail(Code::kUnavailable, "the other side is gone");
}

// Fills `out` before `end`.
Result<> receive_all(int socket, MutableBytes out, std::chrono::steady_clock::time_point end) {
  while (!out.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&wait, 1, static_cast<int>(left.count()));
    if (ready == 0) return fail(Code::kTimeout, "no answer in time");
    if (ready < 0 && errno == EINTR) continue;
    const ssize_t got = ::recv(socket, out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return gone();
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<> send_all(int socket, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return gone();
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

}  // namespace

secret::Buffer encode_find(const std::string& token, ByteView key) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(Question::kFind));
  writer.text(token);
  writer.blob(key);
  return kept(writer);
}

secret::Buffer encode_log_in(ByteView pin) {
  wire::Writer head;
  head.u8(static_cast<std::uint8_t>(Question::kLogIn));
  head.u32(static_cast<std::uint32_t>(pin.size()));
  // Put together in secret memory, so that no piece of it stays behind elsewhere.
  secret::Buffer out(head.bytes().size() + pin.size());
  copy_bytes(out.bytes(), head.bytes());
  copy_bytes(out.bytes().subspan(head.bytes().size()), pin);
  return out;
}

secret::Buffer encode_sign(ByteView message) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(Question::kSign));
  writer.blob(message);
  return kept(writer);
}

secret::Buffer encode_answer(const Result<Found>& found) {
  if (!found) return encode_error(found.error());
  wire::Writer writer;
  writer.u8(0);
  writer.blob(found->certificate);
  writer.text(found->token);
  writer.text(found->maker);
  writer.u8(static_cast<std::uint8_t>(found->files));
  return kept(writer);
}

secret::Buffer encode_answer(const Result<>& done) {
  if (!done) return encode_error(done.error());
  wire::Writer writer;
  writer.u8(0);
  return kept(writer);
}

secret::Buffer encode_answer(const Result<Bytes>& signature) {
  if (!signature) return encode_error(signature.error());
  wire::Writer writer;
  writer.u8(0);
  writer.blob(*signature);
  return kept(writer);
}

Result<Found> decode_found(ByteView answer) {
  wire::Reader reader(answer, "answer about a token");
  TRY(check_answer(reader));
  Found found;
  found.certificate = read_blob(reader);
  found.token = reader.text(kMaxTextBytes);
  found.maker = reader.text(kMaxTextBytes);
  const std::uint8_t files = reader.u8();
  if (files > 1) reader.reject("a flag is unknown");
  found.files = static_cast<os::FileSandbox>(files);
  TRY(reader.finish());
  return found;
}

Result<> decode_done(ByteView answer) {
  wire::Reader reader(answer, "answer about a PIN");
  TRY(check_answer(reader));
  return reader.finish();
}

Result<Bytes> decode_signature(ByteView answer) {
  wire::Reader reader(answer, "answer with a signature");
  TRY(check_answer(reader));
  Bytes signature = read_blob(reader);
  TRY(reader.finish());
  return signature;
}

Result<> send_frame(int socket, ByteView bytes) {
  if (bytes.size() > kMaxFrameBytes) return fail(Code::kProtocol, "a frame is too long");
  wire::Writer length;
  length.u32(static_cast<std::uint32_t>(bytes.size()));
  TRY(send_all(socket, length.bytes()));
  return send_all(socket, bytes);
}

Result<secret::Buffer> receive_frame(int socket, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  std::array<Byte, 4> head{};
  TRY(receive_all(socket, head, end));
  const std::uint32_t size = wire::Reader(head, "frame").u32();
  if (size > kMaxFrameBytes) return fail(Code::kProtocol, "a frame is too long");
  secret::Buffer frame(size);
  TRY(receive_all(socket, frame.bytes(), end));
  return frame;
}

}  // namespace warifu::pkcs11
