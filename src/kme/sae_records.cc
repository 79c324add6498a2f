// Encoding and strict decoding of journal records.
#include "kme/sae_records.h"

#include "crypto/crypto.h"

namespace warifu::kme {
namespace {
enum class Kind : std::uint8_t {
  kOwners = 1,
  kKey = 2,
  kTaken = 3,
  kGone = 4,
  kCounts = 5,
  kComplete = 6,
};
constexpr std::uint64_t kKeyHead = 1 + 16 + 4 + 4 + 8 + 8 + 4;
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::uint8_t kMaxSlaves = 32;
}  // namespace

std::uint64_t record_bytes(std::uint64_t size) {
  return kKeyHead + size + crypto::kSealOverhead;
}

void RecordWriter::owners(std::uint32_t number, const std::string& master,
                          const std::vector<std::string>& slaves) {
  writer_.u8(static_cast<std::uint8_t>(Kind::kOwners));
  writer_.u32(number);
  writer_.text(master);
  writer_.u8(static_cast<std::uint8_t>(slaves.size()));
  for (const std::string& slave : slaves) writer_.text(slave);
}

std::uint64_t RecordWriter::key(const KeyRecord& record, ByteView sealed) {
  writer_.u8(static_cast<std::uint8_t>(Kind::kKey));
  writer_.id(record.id);
  writer_.u32(record.owners);
  writer_.u32(record.pending);
  writer_.i64(record.expires);
  writer_.u64(record.index);
  writer_.blob(sealed);
  return writer_.bytes().size() - sealed.size();
}

void RecordWriter::taken(const KeyId& id, std::uint8_t slave) {
  writer_.u8(static_cast<std::uint8_t>(Kind::kTaken));
  writer_.id(id);
  writer_.u8(slave);
}

void RecordWriter::gone(const KeyId& id, std::uint8_t reason) {
  writer_.u8(static_cast<std::uint8_t>(Kind::kGone));
  writer_.id(id);
  writer_.u8(reason);
}

void RecordWriter::counts(const std::string& master, const std::string& slave,
                          std::uint64_t delivered, std::uint64_t expired, std::uint64_t voided) {
  writer_.u8(static_cast<std::uint8_t>(Kind::kCounts));
  writer_.text(master);
  writer_.text(slave);
  writer_.u64(delivered);
  writer_.u64(expired);
  writer_.u64(voided);
}

void RecordWriter::complete() {
  writer_.u8(static_cast<std::uint8_t>(Kind::kComplete));
}

Result<> read_records(ByteView frame, const RecordVisitor& visitor) {
  wire::Reader reader(frame, "journal of application keys");
  while (reader.good() && reader.remaining() > 0) {
    switch (static_cast<Kind>(reader.u8())) {
      case Kind::kOwners: {
        const std::uint32_t number = reader.u32();
        std::string master = reader.text(kMaxNameBytes);
        const std::uint8_t count = reader.u8();
        if (count == 0 || count > kMaxSlaves) reader.reject("number of slaves out of range");
        std::vector<std::string> slaves;
        for (std::uint8_t i = 0; i < count && reader.good(); ++i) {
          slaves.push_back(reader.text(kMaxNameBytes));
        }
        if (reader.good()) visitor.owners(number, std::move(master), std::move(slaves));
        break;
      }
      case Kind::kKey: {
        KeyRecord record{reader.id<KeyId>(), reader.u32(), reader.u32(), reader.i64(),
                         reader.u64()};
        const ByteView sealed = reader.blob(frame.size());
        if (sealed.size() <= crypto::kSealOverhead) reader.reject("a key without bytes");
        if (!reader.good()) break;
        visitor.key(record, frame.size() - reader.remaining() - sealed.size(),
                    static_cast<std::uint32_t>(sealed.size() - crypto::kSealOverhead));
        break;
      }
      case Kind::kTaken: {
        const auto id = reader.id<KeyId>();
        const std::uint8_t slave = reader.u8();
        if (reader.good()) visitor.taken(id, slave);
        break;
      }
      case Kind::kGone: {
        const auto id = reader.id<KeyId>();
        const std::uint8_t reason = reader.u8();
        if (reader.good()) visitor.gone(id, reason);
        break;
      }
      case Kind::kCounts: {
        std::string master = reader.text(kMaxNameBytes);
        std::string slave = reader.text(kMaxNameBytes);
        const std::uint64_t delivered = reader.u64();
        const std::uint64_t expired = reader.u64();
        const std::uint64_t voided = reader.u64();
        if (reader.good()) {
          visitor.counts(std::move(master), std::move(slave), delivered, expired, voided);
        }
        break;
      }
      case Kind::kComplete: visitor.complete(); break;
      default: reader.reject("unknown record");
    }
  }
  return reader.finish();
}

}  // namespace warifu::kme
