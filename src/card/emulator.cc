// The emulated card: life cycle, chains, GET RESPONSE, dispatch, PIN.
#include "card/emulator.h"

#include <algorithm>

#include "base/log.h"
#include "card/card_file.h"
#include "card/consent_commands.h"
#include "wire/wire.h"

namespace warifu::card {
namespace {

constexpr Byte kChainBit = 0x10;

ResponseApdu status(Status status) {
  return {{}, word_of(status)};
}

}  // namespace

Result<std::unique_ptr<EmulatedCard>> EmulatedCard::create(os::FileSystem& files,
                                                           const std::string& path) {
  TRY(files.make_directories(os::parent_of(path)));
  TRY_ASSIGN(auto lock, lock_card_file(files, path));
  if (files.exists(path)) {
    return fail(Code::kAlreadyExists, "card file '" + path + "' exists already");
  }
  CardState blank;
  TRY(write_card_state(files, path, blank));
  return std::unique_ptr<EmulatedCard>(
      new EmulatedCard(files, path, std::move(lock), std::move(blank)));
}

Result<std::unique_ptr<EmulatedCard>> EmulatedCard::open(os::FileSystem& files,
                                                         const std::string& path) {
  if (!files.exists(path)) return fail(Code::kNotFound, "there is no card file '" + path + "'");
  TRY_ASSIGN(auto lock, lock_card_file(files, path));
  TRY_ASSIGN(CardState state, read_card_state(files, path));
  return std::unique_ptr<EmulatedCard>(
      new EmulatedCard(files, path, std::move(lock), std::move(state)));
}

Bytes EmulatedCard::atr() {
  return emulated_atr();
}

void EmulatedCard::reset() {
  now_ = Volatile{};
}

Result<secret::Buffer> EmulatedCard::transmit(ByteView apdu) {
  auto command = parse_command(apdu);
  if (!command) {
    now_.chain.reset();
    now_.chain_data = {};
    now_.waiting = {};
    return encode(status(Status::kWrongLength));
  }
  return encode(receive(std::move(*command)));
}

ResponseApdu EmulatedCard::receive(CommandApdu command) {
  CommandHeader whole = command.header;
  const bool is_link = (whole.cla & kChainBit) != 0;
  whole.cla = static_cast<Byte>(whole.cla & ~kChainBit);
  if (whole.cla != 0x00 && whole.cla != 0x80) return status(Status::kWrongClass);
  if (whole != profile::kGetResponse) now_.waiting = {};
  if (now_.chain && *now_.chain != whole) {
    now_.chain.reset();
    now_.chain_data = {};
    return status(Status::kChainUnfinished);
  }
  if (now_.chain || is_link) {
    secret::Buffer joined(now_.chain_data.size() + command.data.size());
    copy_bytes(joined.bytes(), now_.chain_data.bytes());
    copy_bytes(joined.bytes().subspan(now_.chain_data.size()), command.data.bytes());
    now_.chain = whole;
    now_.chain_data = std::move(joined);
    if (now_.chain_data.size() > kMaxGrantBytes) {
      now_.chain.reset();
      now_.chain_data = {};
      return status(Status::kWrongLength);
    }
    if (is_link) return status(Status::kOk);
    command.data = std::move(now_.chain_data);
    now_.chain.reset();
    now_.chain_data = {};
  }
  command.header = whole;
  if (whole == profile::kGetResponse) {
    return now_.waiting.empty() ? status(Status::kConditions) : answer_part(command.expected);
  }
  ResponseApdu answer = run(command);
  if (answer.data.empty()) return answer;
  now_.waiting = std::move(answer.data);
  return answer_part(command.expected);
}

ResponseApdu EmulatedCard::answer_part(std::uint32_t expected) {
  const std::size_t size = std::min<std::size_t>(expected, now_.waiting.size());
  const ByteView waiting = now_.waiting.bytes();
  ResponseApdu answer;
  answer.data = secret::Buffer::copy_of(waiting.first(size));
  secret::Buffer rest = secret::Buffer::copy_of(waiting.subspan(size));
  answer.status = rest.empty() ? word_of(Status::kOk) : more_data(rest.size());
  now_.waiting = std::move(rest);
  return answer;
}

ResponseApdu EmulatedCard::run(const CommandApdu& command) {
  if (command.header == profile::kSelect) return select(command);
  if (!now_.is_selected) return status(Status::kConditions);
  return run_selected(command);
}

ResponseApdu EmulatedCard::run_selected(const CommandApdu& command) {
  const CommandHeader& header = command.header;
  if (header == profile::kVerify) return verify(command);
  if (header == profile::kReadIdentity) return read_identity(command);
  if (header == profile::kListSites) return list_sites();
  if (header == profile::kBeginPersonalise || header == profile::kBeginTopUp ||
      header == profile::kBeginRenewal) {
    return begin_load(command);
  }
  if (header.cla == profile::kLoadKeys.cla && header.ins == profile::kLoadKeys.ins &&
      header.p2 == 0) {
    return load_keys(command);
  }
  if (header == profile::kCommitLoad) return commit_load();
  if (header == profile::kPutObject) return put_object(command);
  if (header == profile::kListObjects) return list_objects();
  if (header == profile::kGetObject) return get_object(command);
  if (header == profile::kAuthorise) return authorise(command);
  for (const CommandHeader& known :
       {profile::kSelect, profile::kVerify, profile::kReadIdentity, profile::kBeginPersonalise,
        profile::kLoadKeys, profile::kCommitLoad, profile::kPutObject, profile::kListObjects,
        profile::kGetObject, profile::kListSites, profile::kAuthorise}) {
    if (known.cla == header.cla && known.ins == header.ins) return status(Status::kWrongParameters);
  }
  return status(Status::kWrongInstruction);
}

bool EmulatedCard::store(CardState next) {
  if (auto written = write_card_state(files_, path_, next); !written) {
    log_warning("emulated card: " + written.error().message);
    return false;
  }
  state_ = std::move(next);
  return true;
}

ResponseApdu EmulatedCard::select(const CommandApdu& command) {
  // Selecting anything ends what was verified before, also a selection that fails.
  now_ = Volatile{};
  if (!std::ranges::equal(command.data.bytes(), profile::kAid)) return status(Status::kNotFound);
  now_.is_selected = true;
  return status(Status::kOk);
}

ResponseApdu EmulatedCard::verify(const CommandApdu& command) {
  if (!state_.is_active) return status(Status::kConditions);
  if (command.data.empty()) {
    return state_.tries == 0 ? status(Status::kBlocked)
                             : ResponseApdu{{}, tries_left(state_.tries)};
  }
  now_.is_verified = false;
  now_.may_authorise = false;
  if (state_.tries == 0) return status(Status::kBlocked);
  if (command.data.size() > kMaxPinBytes) return status(Status::kWrongLength);
  CardState next = state_.clone();
  --next.tries;
  if (!store(std::move(next))) return status(Status::kMemoryFailure);

  secret::Buffer given(profile::kPinFieldBytes);
  given.bytes()[0] = static_cast<Byte>(command.data.size());
  copy_bytes(given.bytes().subspan(1), command.data.bytes());
  if (!secret::equal(given.bytes(), state_.pin.bytes())) {
    return state_.tries == 0 ? status(Status::kBlocked)
                             : ResponseApdu{{}, tries_left(state_.tries)};
  }
  next = state_.clone();
  next.tries = kPinTries;
  if (!store(std::move(next))) return status(Status::kMemoryFailure);
  now_.is_verified = true;
  now_.may_authorise = true;
  return status(Status::kOk);
}

ResponseApdu EmulatedCard::read_identity(const CommandApdu& command) {
  if (command.expected > 0 && command.expected < profile::kIdentityBytes) {
    return {{}, wrong_expected(profile::kIdentityBytes)};
  }
  wire::Writer writer;
  writer.u8(profile::kVersion);
  writer.u8(state_.is_active ? 1 : 0);
  writer.u8(profile::kFlagEmulated);
  writer.u8(state_.tries);
  writer.u8(static_cast<std::uint8_t>(state_.sites.size()));
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(state_.object_count()));
  writer.u32(state_.keys.first.value);
  writer.u32(state_.keys.count);
  writer.id(state_.card);
  return {secret::Buffer::copy_of(writer.bytes()), word_of(Status::kOk)};
}

ResponseApdu EmulatedCard::list_sites() {
  wire::Writer writer;
  for (const SiteKeys& site : state_.sites) writer.site(site.site);
  return {secret::Buffer::copy_of(writer.bytes()), word_of(Status::kOk)};
}

}  // namespace warifu::card
