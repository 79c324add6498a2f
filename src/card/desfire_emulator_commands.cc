// The emulated DESFire card: what each command does.
#include <algorithm>

#include "card/desfire_emulator.h"

namespace warifu::card::desfire {
namespace {

constexpr std::size_t kLabelBytes = 7;  // header of a read or a write

std::uint32_t three_bytes(ByteView bytes) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16;
}

Span span_of(ByteView header) {
  return {{header[0]}, three_bytes(header.subspan(1)), three_bytes(header.subspan(4))};
}

}  // namespace

DesfireCard::Reply DesfireCard::execute(Command command, ByteView data) {
  switch (command) {
    case Command::kGetVersion: return data.empty() ? get_version() : Reply{Status::kLength};
    case Command::kSelectApplication: return select_application(data);
    case Command::kCreateApplication: return create_application(data);
    case Command::kDeleteApplication: return delete_application(data);
    case Command::kGetApplicationIds:
      return data.empty() ? list_applications() : Reply{Status::kLength};
    case Command::kGetKeySettings: return data.empty() ? key_settings() : Reply{Status::kLength};
    case Command::kGetKeyVersion: return key_version(data);
    case Command::kChangeKey: return change_key(data);
    case Command::kGetFileIds: return data.empty() ? list_files() : Reply{Status::kLength};
    case Command::kGetFileSettings: return file_settings(data);
    case Command::kCreateStdDataFile: return create_file(data, /*is_backup=*/false);
    case Command::kCreateBackupDataFile: return create_file(data, /*is_backup=*/true);
    case Command::kReadData: return read_data(data);
    case Command::kWriteData: return write_data(data);
    case Command::kCommitTransaction: return data.empty() ? commit() : Reply{Status::kLength};
    case Command::kAbortTransaction: now_.uncommitted.clear(); return {};
    default: return {Status::kIllegalCommand};
  }
}

DesfireCard::Reply DesfireCard::get_version() {
  // Maker, type, subtype, major and minor version, storage (2^13 bytes), protocol; twice.
  const std::array<Byte, 7> hardware = {kVendorEmulated, 0x01, 0x01, 0x12, 0x00, 0x1A, 0x05};
  const std::array<Byte, 7> batch{};
  return {Status::kOk, joined({hardware, hardware, state_.uid, batch})};
}

DesfireCard::Reply DesfireCard::select_application(ByteView data) {
  if (data.size() != 3) return {Status::kLength};
  const ApplicationId id{three_bytes(data)};
  end_session();
  if (id.value != 0 && state_.find(id) == nullptr) {
    now_.selected = {};
    return {Status::kNoApplication};
  }
  now_.selected = id;
  return {};
}

DesfireCard::Reply DesfireCard::create_application(ByteView data) {
  if (now_.selected.value != 0) return {Status::kPermission};
  if (data.size() != 5) return {Status::kLength};
  const ApplicationId id{three_bytes(data)};
  const std::size_t keys = data[4] & 0x0F;
  const bool is_aes = (data[4] & 0xF0) == 0x80;
  if (id.value == 0 || !is_aes || keys == 0 || keys > DesfireState::kMaxKeys) {
    return {Status::kParameter};
  }
  if (state_.find(id) != nullptr) return {Status::kDuplicate};
  if (state_.applications.size() == DesfireState::kMaxApplications) return {Status::kOutOfMemory};
  DesfireState next = state_.clone();
  next.applications.push_back({id, data[3], secret::Buffer(keys * kKeyBytes), Bytes(keys), {}});
  if (next.used_bytes() > DesfireState::kMemoryBytes) return {Status::kOutOfMemory};
  return store(std::move(next));
}

DesfireCard::Reply DesfireCard::delete_application(ByteView data) {
  if (data.size() != 3) return {Status::kLength};
  const ApplicationId id{three_bytes(data)};
  if (state_.find(id) == nullptr) return {Status::kNoApplication};
  if (id != now_.selected || !is_master()) return {Status::kAuthentication};
  DesfireState next = state_.clone();
  std::erase_if(next.applications, [&](const Application& one) { return one.id == id; });
  Reply reply = store(std::move(next));
  if (reply.status == Status::kOk) {
    end_session();
    now_.selected = {};
  }
  return reply;
}

DesfireCard::Reply DesfireCard::list_applications() {
  if (now_.selected.value != 0) return {Status::kPermission};
  Reply reply;
  for (const Application& application : state_.applications) {
    reply.data = joined({reply.data.bytes(), application.id.bytes()});
  }
  return reply;
}

DesfireCard::Reply DesfireCard::key_settings() {
  const Application* application = selected();
  const std::array<Byte, 2> settings =
      application == nullptr
          ? std::array<Byte, 2>{0x0F, 0x01}
          : std::array<Byte, 2>{application->settings,
                                static_cast<Byte>(0x80 | application->key_count())};
  return {Status::kOk, joined({settings})};
}

DesfireCard::Reply DesfireCard::key_version(ByteView data) {
  if (data.size() != 1) return {Status::kLength};
  const Application* application = selected();
  if (application == nullptr || data[0] >= application->key_count()) return {Status::kNoSuchKey};
  return {Status::kOk, joined({std::array<Byte, 1>{application->versions[data[0]]}})};
}

// Of the session's own key: the new key, its version. Of another one: XORed with the old key, and a
// checksum of the new one.
DesfireCard::Reply DesfireCard::change_key(ByteView data) {
  if (!is_master())
    return {now_.session == nullptr ? Status::kAuthentication : Status::kPermission};
  const Application* application = selected();
  if (application == nullptr || data.empty()) return {Status::kLength};
  const std::size_t number = data[0];
  if (number >= application->key_count()) return {Status::kNoSuchKey};
  const bool is_own = number == now_.key_number;
  if (data.size() != 1 + kKeyBytes + 1 + (is_own ? 0U : 4U)) return {Status::kLength};
  secret::Buffer fresh = secret::Buffer::copy_of(data.subspan(1, kKeyBytes));
  if (!is_own) {
    const ByteView old = application->key(number);
    for (std::size_t i = 0; i < kKeyBytes; ++i) {
      fresh.bytes()[i] = static_cast<Byte>(fresh.bytes()[i] ^ old[i]);
    }
    const secret::Buffer whole = key_data(fresh.bytes(), data[1 + kKeyBytes], old);
    if (!secret::equal(whole.bytes(), data.subspan(1))) return {Status::kIntegrity};
  }
  DesfireState next = state_.clone();
  Application& changed = *next.find(now_.selected);
  copy_bytes(changed.keys.bytes().subspan(number * kKeyBytes), fresh.bytes());
  changed.versions[number] = data[1 + kKeyBytes];
  Reply reply = store(std::move(next));
  if (reply.status == Status::kOk && is_own) end_session();
  return reply;
}

DesfireCard::Reply DesfireCard::list_files() {
  const Application* application = selected();
  if (application == nullptr) return {Status::kNoApplication};
  const bool is_listing_free = (application->settings & 0x02) != 0;
  if (!is_listing_free && !is_master()) return {Status::kAuthentication};
  Reply reply;
  for (const DataFile& file : application->files) {
    reply.data = joined({reply.data.bytes(), std::array<Byte, 1>{file.number.value}});
  }
  return reply;
}

DesfireCard::Reply DesfireCard::file_settings(ByteView data) {
  if (data.size() != 1) return {Status::kLength};
  const Application* application = selected();
  const DataFile* file = application == nullptr ? nullptr : application->find({data[0]});
  if (file == nullptr) return {Status::kNoFile};
  const std::array<Byte, 2> kind = {static_cast<Byte>(file->is_backup ? 1 : 0),
                                    static_cast<Byte>(file->comm)};
  const std::size_t size = file->data.size();
  const std::array<Byte, 3> length = {static_cast<Byte>(size), static_cast<Byte>(size >> 8),
                                      static_cast<Byte>(size >> 16)};
  return {Status::kOk, joined({kind, file->rights.bytes(), length})};
}

DesfireCard::Reply DesfireCard::create_file(ByteView data, bool is_backup) {
  Application* application = selected();
  if (application == nullptr) return {Status::kPermission};
  const bool is_making_free = (application->settings & 0x04) != 0;
  if (!is_making_free && !is_master()) return {Status::kAuthentication};
  if (data.size() != 7) return {Status::kLength};
  const FileNumber number{data[0]};
  const std::uint32_t size = three_bytes(data.subspan(4));
  const bool good = number.value < DesfireState::kMaxFiles && size > 0 &&
                    size <= DesfireState::kMemoryBytes && (data[1] <= 1 || data[1] == 3);
  if (!good) return {Status::kParameter};
  if (application->find(number) != nullptr) return {Status::kDuplicate};
  DesfireState next = state_.clone();
  next.find(now_.selected)
      ->files.push_back({number, is_backup, static_cast<Comm>(data[1]),
                         AccessRights::parse(data.subspan(2, 2)), secret::Buffer(size)});
  if (next.used_bytes() > DesfireState::kMemoryBytes) return {Status::kOutOfMemory};
  return store(std::move(next));
}

DesfireCard::Access DesfireCard::access(Command command, ByteView received) {
  if (received.size() < kLabelBytes) return {Status::kLength};
  const Application* application = selected();
  const DataFile* file = application == nullptr ? nullptr : application->find({received[0]});
  if (file == nullptr) return {Status::kNoFile};
  const Byte right = command == Command::kReadData ? file->rights.read : file->rights.write;
  const auto held = [&](Byte key) { return now_.session != nullptr && key == now_.key_number; };
  if (held(right) || held(file->rights.read_write)) return {Status::kOk, file->comm};
  if (right == AccessRights::kFree || file->rights.read_write == AccessRights::kFree) {
    return {Status::kOk, Comm::kPlain};
  }
  return {now_.session == nullptr ? Status::kAuthentication : Status::kPermission};
}

DesfireCard::Reply DesfireCard::read_data(ByteView data) {
  const Access how = access(Command::kReadData, data);
  if (how.status != Status::kOk) return {how.status};
  if (data.size() != kLabelBytes) return {Status::kLength};
  const Span span = span_of(data);
  const ByteView file = selected()->find(span.file)->data.bytes();
  if (span.offset > file.size() || span.length > file.size() - span.offset) {
    return {Status::kBoundary};
  }
  // Length 0: to the end. A backup file shows what was committed.
  const ByteView part = file.subspan(span.offset);
  return {Status::kOk, secret::Buffer::copy_of(span.length == 0 ? part : part.first(span.length))};
}

DesfireCard::Reply DesfireCard::write_data(ByteView data) {
  const Access how = access(Command::kWriteData, data);
  if (how.status != Status::kOk) return {how.status};
  const Span span = span_of(data);
  const ByteView content = data.subspan(kLabelBytes);
  if (span.length == 0 || content.size() != span.length) return {Status::kLength};
  const DataFile& file = *selected()->find(span.file);
  if (span.offset > file.data.size() || span.length > file.data.size() - span.offset) {
    return {Status::kBoundary};
  }
  if (file.is_backup) {
    auto& image = now_.uncommitted[span.file];
    if (image.empty()) image = secret::Buffer::copy_of(file.data.bytes());
    copy_bytes(image.bytes().subspan(span.offset), content);
    return {};
  }
  DesfireState next = state_.clone();
  copy_bytes(next.find(now_.selected)->find(span.file)->data.bytes().subspan(span.offset), content);
  return store(std::move(next));
}

DesfireCard::Reply DesfireCard::commit() {
  if (selected() == nullptr) return {Status::kPermission};
  if (now_.uncommitted.empty()) return {Status::kNoChanges};
  DesfireState next = state_.clone();
  Application& application = *next.find(now_.selected);
  for (auto& [number, image] : now_.uncommitted) {
    application.find(number)->data = secret::Buffer::copy_of(image.bytes());
  }
  Reply reply = store(std::move(next));
  if (reply.status == Status::kOk) now_.uncommitted.clear();
  return reply;
}

}  // namespace warifu::card::desfire
