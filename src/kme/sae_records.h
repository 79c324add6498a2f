// Records inside the journal's frames (docs/formats/sae-keys.md). No secret passes in clear.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kme/sae_message.h"
#include "wire/wire.h"

namespace warifu::kme {

struct KeyRecord {
  KeyId id;
  std::uint32_t owners = 0;   // number of an owners record
  std::uint32_t pending = 0;  // a bit for each slave that may still take it
  std::int64_t expires = 0;
  std::uint64_t index = 0;  // under which the bytes are sealed
};

// Bytes of the journal that a key of `size` bytes takes, about.
[[nodiscard]] std::uint64_t record_bytes(std::uint64_t size);

class RecordWriter {
 public:
  void owners(std::uint32_t number, const std::string& master,
              const std::vector<std::string>& slaves);
  // Returns where the sealed bytes begin.
  [[nodiscard]] std::uint64_t key(const KeyRecord& record, ByteView sealed);
  void taken(const KeyId& id, std::uint8_t slave);
  void gone(const KeyId& id, std::uint8_t reason);
  void counts(const std::string& master, const std::string& slave, std::uint64_t delivered,
              std::uint64_t expired, std::uint64_t voided);
  // From here on the file before is not needed any more.
  void complete();
  [[nodiscard]] const Bytes& bytes() const { return writer_.bytes(); }

 private:
  wire::Writer writer_;
};

// Who reads a frame.
struct RecordVisitor {
  std::function<void(std::uint32_t number, std::string master, std::vector<std::string> slaves)>
      owners;
  // `at`: of the sealed bytes inside the frame; `size`: of the key.
  std::function<void(const KeyRecord& record, std::uint64_t at, std::uint32_t size)> key;
  std::function<void(const KeyId& id, std::uint8_t slave)> taken;
  std::function<void(const KeyId& id, std::uint8_t reason)> gone;
  std::function<void(std::string master, std::string slave, std::uint64_t delivered,
                     std::uint64_t expired, std::uint64_t voided)>
      counts;
  std::function<void()> complete;
};
// Errors: kProtocol.
[[nodiscard]] Result<> read_records(ByteView frame, const RecordVisitor& visitor);

}  // namespace warifu::kme
