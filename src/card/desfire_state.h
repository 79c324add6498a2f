// The memory of the emulated DESFire card: one file, replaced as a whole.
//
//   file        := body crc32c(body):u32                                  little-endian
//   body        := "WDC1" version:u16=1 applications:u8 zero:u8 uid:7 zero:u8 application*
//   application := id:u32 settings:u8 keys:u8 files:u8 zero:u8 key:16{keys} version:u8{keys}
//   data_file* data_file   := number:u8 backup:u8 comm:u8 zero:u8 rights:2 length:u32 data
//
// As with the other emulated card the file stands for memory that nobody can read: keys are in
// clear, mode 0600. What a backup file waits to commit is not in it: it is lost with the power.
#pragma once

#include <string>
#include <vector>

#include "card/desfire.h"
#include "os/files.h"

namespace warifu::card::desfire {

struct DataFile {
  FileNumber number;
  bool is_backup = false;
  Comm comm = Comm::kPlain;
  AccessRights rights;
  secret::Buffer data;
};

struct Application {
  ApplicationId id;
  Byte settings = 0;
  secret::Buffer keys;  // 16 bytes each
  Bytes versions;       // one for each key
  std::vector<DataFile> files;

  [[nodiscard]] std::size_t key_count() const { return versions.size(); }
  [[nodiscard]] ByteView key(std::size_t number) const {
    return keys.bytes().subspan(number * kKeyBytes, kKeyBytes);
  }
  // nullptr: there is none.
  [[nodiscard]] const DataFile* find(FileNumber number) const;
  [[nodiscard]] DataFile* find(FileNumber number);
};

struct DesfireState {
  static constexpr std::size_t kMaxApplications = 28;
  static constexpr std::size_t kMaxFiles = 32;
  static constexpr std::size_t kMaxKeys = 14;
  static constexpr std::size_t kMemoryBytes = 7936;  // of a card of "8K"

  std::array<Byte, 7> uid{};
  std::vector<Application> applications;

  [[nodiscard]] DesfireState clone() const;
  [[nodiscard]] Application* find(ApplicationId id);
  // Memory in use: files in steps of 32 bytes, backup files twice, 64 for an application.
  [[nodiscard]] std::size_t used_bytes() const;
};

// Errors: kNotFound; kCorrupt naming the file and what is wrong with it; kIo.
[[nodiscard]] Result<DesfireState> read_desfire_state(os::FileSystem& files,
                                                      const std::string& path);
// Durable when it returns. On error the file still holds the state before.
[[nodiscard]] Result<> write_desfire_state(os::FileSystem& files, const std::string& path,
                                           const DesfireState& state);

}  // namespace warifu::card::desfire
