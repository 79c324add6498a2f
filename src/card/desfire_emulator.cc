// The emulated DESFire card: life cycle, frames, sessions, authentication.
#include "card/desfire_emulator.h"

#include <algorithm>

#include "base/log.h"
#include "card/card_file.h"

namespace warifu::card::desfire {
namespace {

// ISO/IEC 7816-4 names of the card's own level.
constexpr std::array<Byte, 7> kCardName = {0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x00};
constexpr std::size_t kVersionFrames[] = {7, 7, 14};

bool is_authentication(Command command) {
  return command == Command::kAuthenticateEv2First || command == Command::kAuthenticateAes;
}

}  // namespace

Result<std::unique_ptr<DesfireCard>> DesfireCard::create(os::FileSystem& files, os::Random& random,
                                                         const std::string& path) {
  TRY(files.make_directories(os::parent_of(path)));
  TRY_ASSIGN(auto lock, lock_card_file(files, path));
  if (files.exists(path)) {
    return fail(Code::kAlreadyExists, "card file '" + path + "' exists already");
  }
  DesfireState blank;
  random.fill(blank.uid);
  blank.uid[0] = 0x08;  // ISO/IEC 14443-3: a number that was drawn, not given by a maker
  TRY(write_desfire_state(files, path, blank));
  return std::unique_ptr<DesfireCard>(
      new DesfireCard(files, random, path, std::move(lock), std::move(blank)));
}

Result<std::unique_ptr<DesfireCard>> DesfireCard::open(os::FileSystem& files, os::Random& random,
                                                       const std::string& path) {
  if (!files.exists(path)) return fail(Code::kNotFound, "there is no card file '" + path + "'");
  TRY_ASSIGN(auto lock, lock_card_file(files, path));
  TRY_ASSIGN(DesfireState state, read_desfire_state(files, path));
  return std::unique_ptr<DesfireCard>(
      new DesfireCard(files, random, path, std::move(lock), std::move(state)));
}

Bytes DesfireCard::atr() {
  return emulated_atr();
}

void DesfireCard::reset() {
  now_ = Volatile{};
}

void DesfireCard::end_session() {
  now_.session.reset();
  now_.proving.reset();
  now_.uncommitted.clear();
}

Result<secret::Buffer> DesfireCard::transmit(ByteView apdu) {
  const auto command = parse_command(apdu);
  if (!command) return encode(ResponseApdu{{}, card::word_of(card::Status::kWrongLength)});
  return encode(receive(*command));
}

ResponseApdu DesfireCard::receive(const CommandApdu& command) {
  const CommandHeader& header = command.header;
  if (header.cla == 0x00 && header.ins == 0xA4) return select_by_name(command);
  if (header.cla != 0x90) return {{}, card::word_of(card::Status::kWrongClass)};
  if (header.p1 != 0 || header.p2 != 0) return answer({Status::kLength});
  return answer(frame(static_cast<Command>(header.ins), command.data.bytes()));
}

ResponseApdu DesfireCard::select_by_name(const CommandApdu& command) {
  now_ = Volatile{};
  if (command.header.p1 == 0x04 && std::ranges::equal(command.data.bytes(), kCardName)) {
    return {{}, card::word_of(card::Status::kOk)};
  }
  return {{}, card::word_of(card::Status::kNotFound)};
}

ResponseApdu DesfireCard::answer(Reply reply) {
  if (reply.status != Status::kOk && reply.status != Status::kMore) {
    end_session();
    now_.incoming.reset();
    now_.outgoing.clear();
    return {{}, word_of(reply.status)};
  }
  return {std::move(reply.data), word_of(reply.status)};
}

// Collects frames in and hands frames out; a whole command goes to run().
DesfireCard::Reply DesfireCard::frame(Command command, ByteView data) {
  if (command != Command::kAdditionalFrame) {
    now_.outgoing.clear();
    now_.incoming.reset();
    now_.proving.reset();
    if (is_authentication(command)) return first_pass(command, data);
    if (data.size() < whole_length(command, data)) {
      now_.incoming = Incoming{command, secret::Buffer::copy_of(data)};
      return {Status::kMore};
    }
    return run(command, data);
  }
  if (now_.proving) return second_pass(data);
  if (now_.incoming) {
    Incoming incoming = std::move(*now_.incoming);
    now_.incoming.reset();
    incoming.data = joined({incoming.data.bytes(), data});
    const ByteView all = incoming.data.bytes();
    if (all.size() < whole_length(incoming.command, all) && !data.empty()) {
      now_.incoming = std::move(incoming);
      return {Status::kMore};
    }
    return run(incoming.command, all);
  }
  if (now_.outgoing.empty() || !data.empty()) return {Status::kIllegalCommand};
  Reply next{Status::kOk, std::move(now_.outgoing.front())};
  now_.outgoing.pop_front();
  if (!now_.outgoing.empty()) next.status = Status::kMore;
  return next;
}

std::size_t DesfireCard::whole_length(Command command, ByteView first_frame) {
  if (command != Command::kWriteData || first_frame.size() < 7) return 0;
  const std::size_t length =
      first_frame[4] | std::size_t{first_frame[5]} << 8 | std::size_t{first_frame[6]} << 16;
  const Access how = access(command, first_frame);
  if (how.status != Status::kOk || now_.session == nullptr || how.comm == Comm::kPlain) {
    return 7 + length;
  }
  if (how.comm == Comm::kMac) return 7 + length + kMacBytes;
  constexpr std::size_t kBlock = crypto::kAesBlockBytes;
  return 7 + (length / kBlock + 1) * kBlock + kMacBytes;
}

DesfireCard::Reply DesfireCard::run(Command command, ByteView received) {
  Reply reply = now_.session != nullptr && command != Command::kSelectApplication
                    ? run_in_session(command, received)
                    : execute(command, received);
  if (reply.status != Status::kOk) return reply;
  std::size_t at = 0;
  const secret::Buffer all = std::move(reply.data);
  std::size_t number = 0;
  do {
    std::size_t now = std::min(all.size() - at, kAnswerFrameBytes);
    if (command == Command::kGetVersion && number < 2) now = kVersionFrames[number];
    now_.outgoing.push_back(secret::Buffer::copy_of(ByteView(all.bytes()).subspan(at, now)));
    at += now;
    ++number;
  } while (at < all.size());
  Reply first{Status::kOk, std::move(now_.outgoing.front())};
  now_.outgoing.pop_front();
  if (!now_.outgoing.empty()) first.status = Status::kMore;
  return first;
}

DesfireCard::Access DesfireCard::protection(Command command, ByteView received) {
  switch (command) {
    case Command::kReadData:
    case Command::kWriteData: return access(command, received);
    case Command::kChangeKey: return {Status::kOk, Comm::kFull};
    default: return {Status::kOk, now_.is_ev2 ? Comm::kMac : Comm::kPlain};
  }
}

DesfireCard::Reply DesfireCard::run_in_session(Command command, ByteView received) {
  const Access how = protection(command, received);
  if (how.status != Status::kOk) return {how.status};
  const auto opened = now_.session->open_command(command, received, how.comm);
  if (!opened) return {Status::kIntegrity};
  Reply reply = execute(command, opened->bytes());
  if (reply.status != Status::kOk || now_.session == nullptr) return reply;
  reply.data = now_.session->protect_answer(reply.data.bytes(), how.comm);
  return reply;
}

DesfireCard::Reply DesfireCard::first_pass(Command command, ByteView data) {
  end_session();
  const bool is_ev2 = command == Command::kAuthenticateEv2First;
  // EV2: key number, length of the capabilities, so many bytes of them.
  const bool good =
      is_ev2 ? data.size() >= 2 && data[1] <= 6 && data.size() == 2U + data[1] : data.size() == 1;
  if (!good) return {Status::kLength};
  const Application* application = selected();
  // The card's own master key is not emulated.
  if (application == nullptr) return {Status::kAuthentication};
  if (data[0] >= application->key_count()) return {Status::kNoSuchKey};
  Proving proving{.command = command, .key_number = data[0]};
  random_.fill(proving.rnd_b);
  secret::Buffer challenge(crypto::kAesBlockBytes);
  crypto::aes128_cbc_encrypt(application->key(proving.key_number), {}, proving.rnd_b,
                             challenge.bytes());
  if (!is_ev2) copy_bytes(proving.iv, challenge.bytes());
  now_.proving = proving;
  return {Status::kMore, std::move(challenge)};
}

DesfireCard::Reply DesfireCard::second_pass(ByteView data) {
  const Proving proving = *now_.proving;
  now_.proving.reset();
  const Application* application = selected();
  if (data.size() != 2 * crypto::kAesBlockBytes || application == nullptr) {
    return {Status::kLength};
  }
  const ByteView key = application->key(proving.key_number);
  Reply reply = proving.command == Command::kAuthenticateEv2First ? prove_ev2(proving, key, data)
                                                                  : prove_aes(proving, key, data);
  if (reply.status == Status::kOk) now_.key_number = proving.key_number;
  return reply;
}

DesfireCard::Reply DesfireCard::prove_ev2(const Proving& proving, ByteView key, ByteView data) {
  secret::Buffer opened(data.size());
  crypto::aes128_cbc_decrypt(key, {}, data, opened.bytes());
  const ByteView parts = opened.bytes();
  if (!secret::equal(parts.subspan(16), rotated(proving.rnd_b))) return {Status::kAuthentication};
  Ev2Start start{key, {}, proving.rnd_b, {}};
  copy_bytes(start.rnd_a, parts.first(16));
  random_.fill(start.transaction);
  const std::array<Byte, 12> capabilities{};
  Reply reply{Status::kOk, joined({start.transaction, rotated(start.rnd_a), capabilities})};
  crypto::aes128_cbc_encrypt(key, {}, reply.data.bytes(), reply.data.bytes());
  now_.session = make_ev2(ev2_keys(start));
  now_.is_ev2 = true;
  return reply;
}

DesfireCard::Reply DesfireCard::prove_aes(const Proving& proving, ByteView key, ByteView data) {
  secret::Buffer opened(data.size());
  crypto::aes128_cbc_decrypt(key, proving.iv, data, opened.bytes());
  const ByteView parts = opened.bytes();
  if (!secret::equal(parts.subspan(16), rotated(proving.rnd_b))) return {Status::kAuthentication};
  Random16 rnd_a{};
  copy_bytes(rnd_a, parts.first(16));
  Random16 iv{};
  copy_bytes(iv, data.last(16));
  Reply reply{Status::kOk, secret::Buffer(crypto::kAesBlockBytes)};
  crypto::aes128_cbc_encrypt(key, iv, rotated(rnd_a), reply.data.bytes());
  now_.session = make_ev1(ev1_key(rnd_a, proving.rnd_b));
  now_.is_ev2 = false;
  return reply;
}

DesfireCard::Reply DesfireCard::store(DesfireState next) {
  if (const auto stored = write_desfire_state(files_, path_, next); !stored) {
    log_error("emulated card: " + stored.error().message);
    return {Status::kMemory};
  }
  state_ = std::move(next);
  return {};
}

}  // namespace warifu::card::desfire
