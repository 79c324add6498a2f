// The machine behind a dialogue: queue, frames, authentication.
#include "card/desfire_dialogue.h"

#include <algorithm>

namespace warifu::card::desfire {
namespace {

constexpr std::size_t kMaxAnswerBytes = 16 * 1024;

Code code_of(Status status) {
  switch (status) {
    case Status::kAuthentication:
    case Status::kPermission:
    case Status::kNoSuchKey: return Code::kRefused;
    case Status::kNoApplication:
    case Status::kNoFile: return Code::kNotFound;
    case Status::kDuplicate: return Code::kAlreadyExists;
    case Status::kOutOfMemory: return Code::kNoSpace;
    case Status::kIntegrity: return Code::kCorrupt;
    case Status::kMemory: return Code::kIo;
    default: return Code::kProtocol;
  }
}

Error impostor() {
  return {Code::kRefused, "the card does not prove that it has the key"};
}

Random16 block_of(ByteView bytes) {
  Random16 block{};
  copy_bytes(block, bytes.first(block.size()));
  return block;
}

}  // namespace

std::unexpected<Error> refused(std::string_view what, Status status) {
  return fail(code_of(status), std::string(what) + ": the card answers " + status_text(status));
}

void Dialogue::queue(Entry entry) {
  (is_taking_ ? inserted_ : waiting_).push_back(std::move(entry));
}

void Dialogue::plain(Command command, ByteView data, Taken taken) {
  queue({.command = command, .data = secret::Buffer::copy_of(data), .taken = std::move(taken)});
}

void Dialogue::secured(Command command, ByteView header, ByteView data, Comm comm, Taken taken) {
  queue({.command = command,
         .header = secret::Buffer::copy_of(header),
         .data = secret::Buffer::copy_of(data),
         .comm = comm,
         .is_secured = true,
         .taken = std::move(taken)});
}

void Dialogue::then(std::function<Result<>()> step) {
  queue({.step = std::move(step)});
}

void Dialogue::select(ApplicationId application) {
  plain(Command::kSelectApplication, application.bytes(), [](const Answer& answer) -> Result<> {
    if (answer.status != Status::kOk) return refused("select the application", answer.status);
    return {};
  });
}

void Dialogue::read(const Span& span, Comm comm, DataTaken taken) {
  secured(Command::kReadData, span.bytes(), {}, comm,
          [span, taken = std::move(taken)](Answer answer) -> Result<> {
            if (answer.status != Status::kOk) return refused("read a file", answer.status);
            if (answer.data.size() != span.length) {
              return fail(Code::kProtocol, "the card read another length than it was asked for");
            }
            return taken(answer.data.bytes());
          });
}

void Dialogue::write(FileNumber file, std::uint32_t offset, ByteView data, Comm comm) {
  const Span span{file, offset, static_cast<std::uint32_t>(data.size())};
  secured(Command::kWriteData, span.bytes(), data, comm, [](const Answer& answer) -> Result<> {
    if (answer.status != Status::kOk) return refused("write a file", answer.status);
    return {};
  });
}

void Dialogue::commit(std::function<Result<>()> taken) {
  secured(Command::kCommitTransaction, {}, {}, Comm::kMac,
          [taken = std::move(taken)](const Answer& answer) -> Result<> {
            if (answer.status != Status::kOk) return refused("commit", answer.status);
            return taken();
          });
}

void Dialogue::authenticate_ev2(Byte key_number, secret::Buffer key,
                                std::function<Result<>(bool)> taken) {
  // Key number, length of the capabilities, three bytes of them: none is wanted.
  const std::array<Byte, 5> parameters = {key_number, 3, 0, 0, 0};
  first_pass(Command::kAuthenticateEv2First, parameters, std::move(key), std::move(taken));
}

void Dialogue::authenticate_aes(Byte key_number, secret::Buffer key,
                                std::function<Result<>(bool)> taken) {
  first_pass(Command::kAuthenticateAes, std::array<Byte, 1>{key_number}, std::move(key),
             std::move(taken));
}

void Dialogue::first_pass(Command command, ByteView parameters, secret::Buffer key,
                          std::function<Result<>(bool)> taken) {
  auto kept = std::make_shared<secret::Buffer>(std::move(key));
  queue({.command = command,
         .data = secret::Buffer::copy_of(parameters),
         .more_is_answer = true,
         .taken = [this, command, kept, taken = std::move(taken)](Answer answer) -> Result<> {
           session_.reset();
           if (answer.status == Status::kAuthentication || answer.status == Status::kNoSuchKey) {
             return taken(false);
           }
           if (answer.status != Status::kMore) return refused("authenticate", answer.status);
           return second_pass(command, *kept, answer.data.bytes(), taken);
         }});
}

Result<> Dialogue::second_pass(Command command, const secret::Buffer& key, ByteView enciphered,
                               std::function<Result<>(bool)> taken) {
  if (enciphered.size() != crypto::kAesBlockBytes) {
    return fail(Code::kProtocol, "the card's challenge has a wrong length");
  }
  const bool is_ev2 = command == Command::kAuthenticateEv2First;
  Random16 rnd_a{};
  random_.fill(rnd_a);
  Random16 rnd_b{};
  crypto::aes128_cbc_decrypt(key.bytes(), {}, enciphered, rnd_b);
  secret::Buffer proof = joined({rnd_a, rotated(rnd_b)});
  // AES authentication of EV1 chains all three messages; EV2 begins each at zero.
  crypto::aes128_cbc_encrypt(key.bytes(), is_ev2 ? Random16{} : block_of(enciphered), proof.bytes(),
                             proof.bytes());
  auto kept = std::make_shared<secret::Buffer>(secret::Buffer::copy_of(key.bytes()));
  const Random16 iv = block_of(ByteView(proof.bytes()).last(crypto::kAesBlockBytes));
  queue({.command = Command::kAdditionalFrame,
         .data = std::move(proof),
         .taken = [=, this, taken = std::move(taken)](Answer answer) -> Result<> {
           if (answer.status == Status::kAuthentication) return taken(false);
           if (answer.status != Status::kOk) return refused("authenticate", answer.status);
           TRY(is_ev2 ? finish_ev2(*kept, rnd_a, rnd_b, answer.data.bytes())
                      : finish_aes(*kept, rnd_a, rnd_b, iv, answer.data.bytes()));
           return taken(true);
         }});
  return {};
}

Result<> Dialogue::finish_ev2(const secret::Buffer& key, const Random16& rnd_a,
                              const Random16& rnd_b, ByteView enciphered) {
  secret::Buffer proof(2 * crypto::kAesBlockBytes);
  if (enciphered.size() != proof.size()) return std::unexpected(impostor());
  crypto::aes128_cbc_decrypt(key.bytes(), {}, enciphered, proof.bytes());
  const ByteView parts = proof.bytes();  // TI:4, rotated RndA:16, capabilities of both sides
  if (!secret::equal(parts.subspan(4, 16), rotated(rnd_a))) return std::unexpected(impostor());
  Ev2Start start{key.bytes(), rnd_a, rnd_b, {}};
  copy_bytes(start.transaction, parts.first(4));
  session_ = make_ev2(ev2_keys(start));
  return {};
}

Result<> Dialogue::finish_aes(const secret::Buffer& key, const Random16& rnd_a,
                              const Random16& rnd_b, const Random16& iv, ByteView enciphered) {
  Random16 proof{};
  if (enciphered.size() != proof.size()) return std::unexpected(impostor());
  crypto::aes128_cbc_decrypt(key.bytes(), iv, enciphered, proof);
  if (!secret::equal(proof, rotated(rnd_a))) return std::unexpected(impostor());
  session_ = make_ev1(ev1_key(rnd_a, rnd_b));
  return {};
}

Result<secret::Buffer> Dialogue::send_current() {
  const std::size_t now = std::min(frames_.size(), kCommandFrameBytes);
  TRY_ASSIGN(secret::Buffer apdu, wrap(current_->command, ByteView(frames_.bytes()).first(now)));
  frames_ = secret::Buffer::copy_of(ByteView(frames_.bytes()).subspan(now));
  return apdu;
}

Result<std::optional<secret::Buffer>> Dialogue::advance() {
  while (!waiting_.empty()) {
    current_ = std::move(waiting_.front());
    waiting_.pop_front();
    if (current_->step) {
      is_taking_ = true;
      const Result<> done = current_->step();
      is_taking_ = false;
      TRY(done);
      waiting_.insert(waiting_.begin(), std::make_move_iterator(inserted_.begin()),
                      std::make_move_iterator(inserted_.end()));
      inserted_.clear();
      continue;
    }
    collected_ = {};
    frames_ = secret::Buffer::copy_of(current_->data.bytes());
    if (current_->is_secured) {
      if (session_ == nullptr) return fail(Code::kProtocol, "the card's session has ended");
      TRY_ASSIGN(frames_, session_->protect_command(current_->command, current_->header.bytes(),
                                                    current_->data.bytes(), current_->comm));
    }
    TRY_ASSIGN(secret::Buffer apdu, send_current());
    return apdu;
  }
  current_.reset();
  return std::nullopt;
}

Result<std::optional<secret::Buffer>> Dialogue::begin() {
  return advance();
}

Result<std::optional<secret::Buffer>> Dialogue::next(ByteView answer) {
  if (!current_) return fail(Code::kInvalidArgument, "the dialogue with the card is over");
  TRY_ASSIGN(const ResponseApdu parsed, parse_response(answer));
  const auto status = status_of(parsed.status);
  if (!status) {
    return fail(Code::kProtocol,
                "this is no DESFire card, or it was reset: it answers " + parsed.status.text());
  }
  if (*status == Status::kMore && !current_->more_is_answer) {
    const bool is_sending = !frames_.empty();
    if (is_sending != parsed.data.empty() ||
        collected_.size() + parsed.data.size() > kMaxAnswerBytes) {
      return fail(Code::kProtocol, "the card's frames do not fit the command");
    }
    collected_ = joined({collected_.bytes(), parsed.data.bytes()});
    const Command whole = current_->command;
    current_->command = Command::kAdditionalFrame;
    auto apdu = send_current();
    current_->command = whole;
    if (!apdu) return std::unexpected(apdu.error());
    return std::move(*apdu);
  }
  collected_ = joined({collected_.bytes(), parsed.data.bytes()});
  TRY(take(*status));
  return advance();
}

Result<> Dialogue::take(Status status) {
  Entry entry = std::move(*current_);
  Answer answer{status, std::move(collected_)};
  if (entry.is_secured && status == Status::kOk) {
    // ChangeKey of the session's own key ends the session without a MAC.
    const bool is_silent = entry.command == Command::kChangeKey && answer.data.empty();
    if (is_silent) {
      session_.reset();
    } else {
      TRY_ASSIGN(answer.data, session_->open_answer(answer.data.bytes(), entry.comm));
    }
  } else if (entry.is_secured) {
    session_.reset();
    answer.data = {};
  }
  is_taking_ = true;
  const Result<> taken = entry.taken(std::move(answer));
  is_taking_ = false;
  TRY(taken);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(inserted_.begin()),
                  std::make_move_iterator(inserted_.end()));
  inserted_.clear();
  return {};
}

Result<secret::Buffer> pass_on(Session& session, ByteView apdu) {
  TRY_ASSIGN(CommandApdu command, parse_command(apdu));
  TRY_ASSIGN(const ResponseApdu answer, session.exchange(command));
  return encode(answer);
}

Result<> run(Dialogue& dialogue, Session& session) {
  TRY_ASSIGN(std::optional<secret::Buffer> apdu, dialogue.begin());
  while (apdu) {
    TRY_ASSIGN(const secret::Buffer answer, pass_on(session, apdu->bytes()));
    auto next = dialogue.next(answer.bytes());
    if (!next) return std::unexpected(next.error());
    apdu = std::move(*next);
  }
  return {};
}

}  // namespace warifu::card::desfire
