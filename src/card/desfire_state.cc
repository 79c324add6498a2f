// The card file of the emulated DESFire card.
#include "card/desfire_state.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::card::desfire {
namespace {

constexpr std::string_view kMagic = "WDC1";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kMaxFileBytes = 64 * 1024;

// Builds secret bytes piece by piece; numbers go through a wire::Writer.
class SecretWriter {
 public:
  void put(ByteView part) { out_ = joined({out_.bytes(), part}); }
  [[nodiscard]] secret::Buffer take() { return std::move(out_); }
  [[nodiscard]] ByteView bytes() const { return out_.bytes(); }

 private:
  secret::Buffer out_;
};

void put_file(SecretWriter& out, const DataFile& file) {
  wire::Writer head;
  head.u8(file.number.value);
  head.u8(file.is_backup ? 1 : 0);
  head.u8(static_cast<Byte>(file.comm));
  head.u8(0);
  head.raw(file.rights.bytes());
  head.u32(static_cast<std::uint32_t>(file.data.size()));
  out.put(head.bytes());
  out.put(file.data.bytes());
}

void put_application(SecretWriter& out, const Application& application) {
  wire::Writer head;
  head.u32(application.id.value);
  head.u8(application.settings);
  head.u8(static_cast<std::uint8_t>(application.key_count()));
  head.u8(static_cast<std::uint8_t>(application.files.size()));
  head.u8(0);
  out.put(head.bytes());
  out.put(application.keys.bytes());
  out.put(application.versions);
  for (const DataFile& file : application.files) put_file(out, file);
}

DataFile read_data_file(wire::Reader& reader) {
  DataFile file;
  file.number = {reader.u8()};
  const std::uint8_t backup = reader.u8();
  const std::uint8_t comm = reader.u8();
  if (backup > 1 || comm > 3 || comm == 2 || reader.u8() != 0) reader.reject("a file's kind");
  file.is_backup = backup == 1;
  file.comm = static_cast<Comm>(comm);
  const ByteView rights = reader.raw(2);
  const std::uint32_t length = reader.u32();
  if (!reader.good() || length > DesfireState::kMemoryBytes) {
    reader.reject("a file's length");
    return file;
  }
  file.rights = AccessRights::parse(rights);
  file.data = secret::Buffer::copy_of(reader.raw(length));
  return file;
}

Application read_application(wire::Reader& reader) {
  Application application;
  application.id = {reader.u32()};
  application.settings = reader.u8();
  const std::uint8_t keys = reader.u8();
  const std::uint8_t files = reader.u8();
  if (reader.u8() != 0 || keys == 0 || keys > DesfireState::kMaxKeys ||
      files > DesfireState::kMaxFiles) {
    reader.reject("an application's numbers");
    return application;
  }
  application.keys = secret::Buffer::copy_of(reader.raw(keys * kKeyBytes));
  const ByteView versions = reader.raw(keys);
  application.versions.assign(versions.begin(), versions.end());
  for (std::size_t i = 0; i < files && reader.good(); ++i) {
    application.files.push_back(read_data_file(reader));
  }
  return application;
}

Result<DesfireState> parse_body(ByteView body) {
  wire::Reader reader(body, "card file");
  DesfireState state;
  if (as_text(reader.raw(4)) != kMagic) reader.reject("it does not begin with WDC1");
  if (reader.u16() != kVersion) reader.reject("its version is unknown");
  const std::uint8_t applications = reader.u8();
  if (reader.u8() != 0 || applications > DesfireState::kMaxApplications) {
    reader.reject("a number is out of range");
  }
  const ByteView uid = reader.raw(state.uid.size());
  if (reader.u8() != 0) reader.reject("a reserved byte is not zero");
  for (std::size_t i = 0; i < applications && reader.good(); ++i) {
    state.applications.push_back(read_application(reader));
  }
  TRY(reader.finish());
  copy_bytes(state.uid, uid);
  return state;
}

}  // namespace

const DataFile* Application::find(FileNumber number) const {
  const auto found = std::ranges::find(files, number, &DataFile::number);
  return found == files.end() ? nullptr : &*found;
}

DataFile* Application::find(FileNumber number) {
  const auto found = std::ranges::find(files, number, &DataFile::number);
  return found == files.end() ? nullptr : &*found;
}

DesfireState DesfireState::clone() const {
  DesfireState copy;
  copy.uid = uid;
  for (const Application& from : applications) {
    Application& to = copy.applications.emplace_back();
    to.id = from.id;
    to.settings = from.settings;
    to.keys = secret::Buffer::copy_of(from.keys.bytes());
    to.versions = from.versions;
    for (const DataFile& file : from.files) {
      to.files.push_back({file.number, file.is_backup, file.comm, file.rights,
                          secret::Buffer::copy_of(file.data.bytes())});
    }
  }
  return copy;
}

Application* DesfireState::find(ApplicationId id) {
  const auto found = std::ranges::find(applications, id, &Application::id);
  return found == applications.end() ? nullptr : &*found;
}

std::size_t DesfireState::used_bytes() const {
  std::size_t used = 0;
  for (const Application& application : applications) {
    used += 64;
    for (const DataFile& file : application.files) {
      used += (file.data.size() + 31) / 32 * 32 * (file.is_backup ? 2 : 1);
    }
  }
  return used;
}

Result<DesfireState> read_desfire_state(os::FileSystem& files, const std::string& path) {
  TRY_ASSIGN(Bytes plain, os::read_file(files, path, kMaxFileBytes));
  const secret::Buffer bytes = secret::Buffer::copy_of(plain);
  secret::wipe(plain);
  const auto body = wire::before_checksum(bytes.bytes());
  if (!body) {
    return fail(Code::kCorrupt, "card file '" + path + "' is damaged: its checksum does not match");
  }
  auto state = parse_body(*body);
  if (!state) {
    return fail(Code::kCorrupt, "card file '" + path + "' is damaged: " + state.error().message);
  }
  return state;
}

Result<> write_desfire_state(os::FileSystem& files, const std::string& path,
                             const DesfireState& state) {
  SecretWriter out;
  wire::Writer head;
  head.raw(as_bytes(kMagic));
  head.u16(kVersion);
  head.u8(static_cast<std::uint8_t>(state.applications.size()));
  head.u8(0);
  head.raw(state.uid);
  head.u8(0);
  out.put(head.bytes());
  for (const Application& application : state.applications) put_application(out, application);
  wire::Writer crc;
  crc.u32(wire::crc32c(out.bytes()));
  out.put(crc.bytes());
  return os::replace_file(files, path, out.bytes());
}

}  // namespace warifu::card::desfire
