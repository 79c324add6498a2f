// A keyed digest of all records in canonical form, and the re-slicing that it proves.
//
// Canonical: every field of SAM in a fixed order and width; optional fields by tag, integers
// without their stored width, which formats choose as they please. Headers are not records.
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "genome_helper/aux_fields.h"
#include "genome_helper/operations.h"
#include "wire/wire.h"

namespace warifu::genome_helper {
namespace {

// One optional field: its bytes in canonical form, tag first.
std::string canonical(const AuxField& field) {
  std::string out = field.tag();
  const std::uint8_t* value = field.value();
  const char type = static_cast<char>(*value);
  switch (type) {
    case 'c':
    case 'C':
    case 's':
    case 'S':
    case 'i':
    case 'I': out += "i" + std::to_string(::bam_aux2i(value)); break;
    case 'f':
    case 'd': {
      const auto number = static_cast<float>(::bam_aux2f(value));
      std::array<char, sizeof number> raw{};
      std::memcpy(raw.data(), &number, sizeof number);
      out += 'f';
      out.append(raw.data(), raw.size());
      break;
    }
    case 'A': out += std::string("A") + ::bam_aux2A(value); break;
    case 'Z':
    case 'H': {
      const char* text = ::bam_aux2Z(value);
      out += type;
      if (text != nullptr) out += text;
      break;
    }
    default: {  // B: an array keeps its type
      const std::uint32_t length = ::bam_auxB_len(value);
      out += 'B';
      out += static_cast<char>(value[1]);
      for (std::uint32_t i = 0; i < length; ++i) {
        out += ',' + (value[1] == 'f' ? std::to_string(::bam_auxB2f(value, i))
                                      : std::to_string(::bam_auxB2i(value, i)));
      }
    }
  }
  return out;
}

class CanonicalReads {
 public:
  explicit CanonicalReads(const std::array<Byte, 32>& key) {
    WARIFU_CHECK(::crypto_generichash_init(&state_, key.data(), key.size(), 32) == 0);
  }

  // Errors: kCorrupt.
  Result<> add(const bam1_t* record) {
    const bam1_core_t& core = record->core;
    wire::Writer out;
    for (const std::int64_t number :
         {std::int64_t{core.tid}, core.pos, std::int64_t{core.mtid}, core.mpos, core.isize}) {
      out.i64(number);
    }
    out.u16(core.flag);
    out.u8(core.qual);
    out.blob(as_bytes(std::string_view(bam_get_qname(record))));
    out.blob(ByteView(reinterpret_cast<const Byte*>(bam_get_cigar(record)), 4ULL * core.n_cigar));
    const auto bases = static_cast<std::size_t>(core.l_qseq);
    out.blob(ByteView(bam_get_seq(record), (bases + 1) / 2));
    out.blob(ByteView(bam_get_qual(record), bases));
    TRY_ASSIGN(const std::vector<AuxField> stored, aux_fields(record));
    std::vector<std::string> fields;
    for (const AuxField& field : stored) fields.push_back(canonical(field));
    std::ranges::sort(fields);
    out.u32(static_cast<std::uint32_t>(fields.size()));
    for (const std::string& field : fields) out.blob(as_bytes(field));
    add_bytes(out.bytes());
    return {};
  }

  void add_bytes(ByteView bytes) {
    (void)::crypto_generichash_update(&state_, bytes.data(), bytes.size());
  }

  std::array<Byte, 32> finish() {
    std::array<Byte, 32> out{};
    (void)::crypto_generichash_final(&state_, out.data(), out.size());
    return out;
  }

 private:
  crypto_generichash_state state_{};
};

bool is_cram(htsFile* file) {
  return ::hts_get_format(file)->format == cram;
}

}  // namespace

Result<Bytes> digest(const genome::Task& task, Files& files) {
  CanonicalReads all(task.digest_key);
  if (files.kind() == Kind::kReads) {
    TRY_ASSIGN(const SamHeader header, files.read_sam_header());
    const Record record(::bam_init1());
    for (;;) {
      TRY_ASSIGN(const bool more, files.next(header.get(), record.get()));
      if (!more) break;
      TRY(all.add(record.get()));
    }
  } else {
    TRY_ASSIGN(const VcfHeader header, files.read_vcf_header());
    const VcfRecord record(::bcf_init());
    kstring_t line = KS_INITIALIZE;
    for (;;) {
      const auto more = files.next(header.get(), record.get());
      line.l = 0;
      if (!more || !*more || ::vcf_format(header.get(), record.get(), &line) != 0) {
        ::ks_free(&line);
        if (!more) return std::unexpected(more.error());
        if (*more) return fail(Code::kCorrupt, "a record that cannot be written as text");
        break;
      }
      all.add_bytes(ByteView(reinterpret_cast<const Byte*>(line.s), line.l));
    }
  }
  return genome::encode_answer(genome::RecordDigest{files.records(), all.finish()});
}

Result<Bytes> reslice(const genome::Task& task, Files& files) {
  if (files.kind() != Kind::kReads) return fail(Code::kInvalidArgument, "only reads have slices");
  TRY_ASSIGN(const SamHeader header, files.read_sam_header());
  TRY(files.open_output("wc"));
  htsFile* out = files.output();
  const bool set =
      ::hts_set_opt(out, CRAM_OPT_VERSION, "3.0") == 0 &&
      ::hts_set_opt(out, CRAM_OPT_SEQS_PER_SLICE, static_cast<int>(task.reads_per_slice)) == 0 &&
      (files.has_reference() || ::hts_set_opt(out, CRAM_OPT_EMBED_REF, 2) == 0);
  if (!set) return fail(Code::kIo, "htslib refuses to write CRAM 3.0 in such slices");
  TRY(files.give_reference(out));
  if (::sam_hdr_write(out, header.get()) != 0) return fail(Code::kIo, "writing the header");
  const Record record(::bam_init1());
  for (;;) {
    TRY_ASSIGN(const bool more, files.next(header.get(), record.get()));
    if (!more) break;
    if (::sam_write1(out, header.get(), record.get()) < 0) {
      return fail(Code::kIo,
                  "writing record " + std::to_string(files.records()) +
                      (is_cram(files.input()) ? "" : "; is the reference the right one?"));
    }
  }
  TRY(files.close_output());
  return genome::encode_answer(genome::TrimReport{files.records(), files.records()});
}

}  // namespace warifu::genome_helper
