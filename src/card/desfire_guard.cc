// Which APDUs a terminal passes on, and when.
#include "card/desfire_guard.h"

#include <algorithm>

namespace warifu::card::desfire {
namespace {

std::unexpected<Error> foreign(std::string_view what) {
  return fail(Code::kRefused, "the card was not asked: a site sent " + std::string(what) +
                                  ", which does not belong to this ceremony");
}

}  // namespace

RelayGuard::RelayGuard(Ceremony ceremony, ByteView grant_digest)
    : ceremony_(ceremony), digest_(grant_digest.begin(), grant_digest.end()) {
  WARIFU_CHECK((ceremony == Ceremony::kConsent) == (digest_.size() == kDigestBytes));
}

bool RelayGuard::is_allowed(Command command) const {
  switch (command) {
    case Command::kSelectApplication:
    case Command::kAuthenticateEv2First:
    case Command::kReadData:
    case Command::kWriteData:
    case Command::kCommitTransaction: return true;
    case Command::kAdditionalFrame: return may_continue_;
    case Command::kGetVersion:
    case Command::kCreateApplication:
    case Command::kChangeKey:
    case Command::kGetFileIds:
    case Command::kCreateStdDataFile:
    case Command::kCreateBackupDataFile: return ceremony_ == Ceremony::kEnrol;
    default: return false;
  }
}

Result<> RelayGuard::check_select(ByteView data) {
  digest_written_ = false;
  if (data.size() != 3) return foreign("a malformed selection");
  const ApplicationId id{data[0] | std::uint32_t{data[1]} << 8 | std::uint32_t{data[2]} << 16};
  const bool at_card = id.value == 0 && ceremony_ == Ceremony::kEnrol;
  const bool for_record =
      ceremony_ != Ceremony::kRecord || id == application_of(kRecordsApplication);
  if (!at_card && !(is_ours(id) && for_record)) return foreign("the selection of an application");
  return {};
}

Result<> RelayGuard::check_write(ByteView data) {
  if (data.size() < 7) return foreign("a malformed write");
  const FileNumber file{data[0]};
  switch (ceremony_) {
    case Ceremony::kEnrol:
      return file == kIdFile || file == kTokenFile ? Result<>{} : foreign("a write");
    case Ceremony::kRecord: return file == kRecordsFile ? Result<>{} : foreign("a write");
    case Ceremony::kConsent: break;
  }
  if (file == kTokenFile) return {};
  if (file != kGrantFile) return foreign("a write");
  const Span whole{kGrantFile, 0, kDigestBytes};
  const bool is_this_grant = data.size() == 7 + kDigestBytes + kMacBytes &&
                             std::ranges::equal(data.first(7), whole.bytes()) &&
                             std::ranges::equal(data.subspan(7, kDigestBytes), digest_);
  if (!is_this_grant) return foreign("the digest of another grant than the one shown");
  digest_written_ = true;
  return {};
}

Result<> RelayGuard::check(ByteView apdu) {
  const auto parsed = parse_command(apdu);
  if (!parsed || parsed->header.cla != 0x90 || parsed->header.p1 != 0 || parsed->header.p2 != 0) {
    return foreign("what is no DESFire command");
  }
  const auto command = static_cast<Command>(parsed->header.ins);
  if (!is_allowed(command)) {
    return foreign("command " + to_hex(std::array<Byte, 1>{parsed->header.ins}));
  }
  may_continue_ = true;
  const ByteView data = parsed->data.bytes();
  if (command == Command::kSelectApplication) TRY(check_select(data));
  if (command == Command::kWriteData) TRY(check_write(data));
  if (command != Command::kCommitTransaction) return {};
  may_continue_ = false;
  if (ceremony_ != Ceremony::kConsent) return {};
  if (!digest_written_) return foreign("a commit without the grant's digest");
  digest_written_ = false;
  return {};
}

}  // namespace warifu::card::desfire
