// Keys of applications: what another site tells, and what a journal holds after any damage.
#include "crypto/crypto.h"
#include "fuzz/fuzz.h"
#include "fuzz/memory_files.h"
#include "kme/sae_journal.h"
#include "kme/sae_message.h"
#include "kme/sae_records.h"
#include "os/system.h"

namespace warifu::fuzz {
namespace {

const std::string kFile = "d/journal-0000000000000001";

template <class Decode>
void both_ways(ByteView bytes, const Decode& decode) {
  const auto decoded = decode(bytes);
  if (!decoded) return;
  const Bytes once = kme::encode(*decoded);
  const auto again = decode(once);
  require(again.has_value() && kme::encode(*again) == once);
}

// What the records of a frame say, written again.
Bytes written(ByteView frame, bool& whole) {
  kme::RecordWriter writer;
  kme::RecordVisitor visitor;
  visitor.owners = [&](std::uint32_t number, const std::string& master,
                       const std::vector<std::string>& slaves) {
    writer.owners(number, master, slaves);
  };
  visitor.key = [&](const kme::KeyRecord& record, std::uint64_t at, std::uint32_t size) {
    const std::uint64_t sealed = size + crypto::kSealOverhead;
    require(at <= frame.size() && sealed <= frame.size() - at);
    require(writer.key(record, frame.subspan(at, sealed)) == at);
  };
  visitor.taken = [&](const kme::KeyId& id, std::uint8_t slave) { writer.taken(id, slave); };
  visitor.gone = [&](const kme::KeyId& id, std::uint8_t reason) { writer.gone(id, reason); };
  visitor.counts = [&](const std::string& master, const std::string& slave, std::uint64_t delivered,
                       std::uint64_t expired, std::uint64_t voided) {
    writer.counts(master, slave, delivered, expired, voided);
  };
  visitor.complete = [&] { writer.complete(); };
  whole = kme::read_records(frame, visitor).has_value();
  return writer.bytes();
}

void records(ByteView frame) {
  bool whole = false;
  const Bytes again = written(frame, whole);
  if (whole) require(again.size() == frame.size() && std::ranges::equal(again, frame));
}

// A file with an honest head and two honest frames, made once.
struct Honest {
  MemoryFiles files;
  os::System system{files, os::real_clock(), os::kernel_random()};
  Bytes root_key = Bytes(32, 7);
  Bytes bytes;

  Honest() {
    auto journal = kme::SaeJournal::create(system, "d", 1, root_key);
    require(journal.has_value());
    for (const std::size_t size : {100U, 5000U}) {
      require((*journal)->append(Bytes(size, 1)).has_value());
    }
    require((*journal)->publish().has_value());
    bytes = files.files.at(kFile);
  }
};

// Damage: the input lies over the honest file from any block on, or is a frame's payload.
void journal(std::uint8_t place, ByteView input) {
  static Honest honest;
  Bytes& file = honest.files.files[kFile];
  file = honest.bytes;
  const std::size_t at = std::size_t{place} * 128 % (file.size() + 4096);
  file.resize(std::max(file.size(), at + input.size()));
  copy_bytes(MutableBytes(file).subspan(at), input);
  std::uint64_t frames = 0;
  const auto loaded = kme::SaeJournal::load(honest.system, "d", 1, honest.root_key,
                                            [&](ByteView payload, std::uint64_t where) -> Result<> {
                                              require(where + payload.size() <= file.size());
                                              ++frames;
                                              return {};
                                            });
  if (at >= honest.bytes.size()) require(loaded.has_value() ? frames >= 2 : frames == 2);
}

}  // namespace

void run(ByteView input) {
  if (input.size() < 2) return;
  const ByteView bytes = input.subspan(1);
  switch (input[0] % 5) {
    case 0: both_ways(bytes, kme::decode_assignment); break;
    case 1: both_ways(bytes, kme::decode_block_head); break;
    case 2: both_ways(bytes, kme::decode_voids); break;
    case 3: records(bytes); break;
    default: journal(bytes[0], bytes.subspan(1));
  }
}

}  // namespace warifu::fuzz
