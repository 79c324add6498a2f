// Opening and reading through htslib.
#include "genome_helper/file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/reason.h"

namespace warifu::genome_helper {
namespace {

constexpr int kInput = 0;
constexpr int kOutput = 1;

// A stream on a copy of the number: htslib closes what it is given.
Result<FilePtr> open_on(int descriptor, const char* mode, const char* name) {
  hFILE* stream = ::hdopen(descriptor, mode[0] == 'r' ? "r" : "w");
  if (stream == nullptr) return fail(Code::kIo, "htslib opens no stream");
  FilePtr file(::hts_hopen(stream, name, mode));
  if (!file) {
    ::hclose_abruptly(stream);
    return fail(Code::kCorrupt,
                "no format that can be read: not CRAM 2.1 to 3.1, BAM, SAM, VCF, BCF");
  }
  return file;
}

}  // namespace

Result<std::unique_ptr<ReferenceFile>> ReferenceFile::open(const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) {
    return fail(Code::kNotFound, "reference " + path + ": " + std::strerror(errno));
  }
  if (::access((path + ".fai").c_str(), R_OK) != 0) {
    return fail(Code::kNotFound, "reference " + path + ": its index " + path +
                                     ".fai is missing; make it with: samtools faidx " + path);
  }
  auto file = std::make_unique<ReferenceFile>();
  file->carrier_.reset(::hts_open("/dev/null", "wc"));
  if (!file->carrier_ ||
      ::hts_set_opt(file->carrier_.get(), CRAM_OPT_REFERENCE, path.c_str()) != 0 ||
      file->sequences() == nullptr) {
    return fail(Code::kCorrupt, "reference " + path + ": htslib cannot read it with its .fai");
  }
  return file;
}

Files::Files(const genome::Task& task, const ReferenceFile* reference)
    : task_(task), reference_(reference) {}

Files::~Files() {
  output_.reset();
  input_.reset();
  if (pool_.pool != nullptr) ::hts_tpool_destroy(pool_.pool);
}

Result<> Files::set_threads(htsFile* file) {
  // htslib's threaded reader of BGZF at times waits for ever behind a damaged block, and what is
  // cut from a file is small: threads are for passes over whole CRAM files.
  const bool whole = task_.operation == genome::Operation::kDigest ||
                     task_.operation == genome::Operation::kReslice;
  if (task_.threads < 2 || !whole || ::hts_get_format(file)->format != cram) return {};
  if (pool_.pool == nullptr) pool_.pool = ::hts_tpool_init(static_cast<int>(task_.threads));
  if (pool_.pool == nullptr || ::hts_set_thread_pool(file, &pool_) != 0) {
    return fail(Code::kIo, "no threads");
  }
  return {};
}

Result<> Files::give_reference(htsFile* file) const {
  if (reference_ == nullptr) return {};
  if (::hts_set_opt(file, CRAM_OPT_SHARED_REF, reference_->sequences()) == 0) return {};
  return fail(Code::kIo, "htslib refuses the reference");
}

Result<> Files::open_input() {
  TRY_ASSIGN(input_, open_on(kInput, "r", "input"));
  const htsFormat* format = ::hts_get_format(input_.get());
  if (format->category == sequence_data) {
    kind_ = Kind::kReads;
  } else if (format->category == variant_data) {
    kind_ = Kind::kVariants;
  } else {
    return fail(Code::kCorrupt, "neither reads nor variants: not CRAM, BAM, SAM, VCF or BCF");
  }
  if (format->format == fastq_format || format->format == fasta_format) {
    return fail(Code::kCorrupt, "FASTA and FASTQ have no positions");
  }
  if (format->format == cram) TRY(give_reference(input_.get()));
  return set_threads(input_.get());
}

Result<> Files::open_output(const char* mode) {
  TRY_ASSIGN(output_, open_on(kOutput, mode, "output"));
  return set_threads(output_.get());
}

Result<> Files::close_output() {
  errno = 0;
  if (::hts_close(output_.release()) == 0) return {};
  return fail(Code::kIo, std::string("writing: ") + std::strerror(errno));
}

Result<SamHeader> Files::read_sam_header() {
  SamHeader header(::sam_hdr_read(input_.get()));
  if (!header) return fail(Code::kCorrupt, "its header is damaged");
  return header;
}

Result<VcfHeader> Files::read_vcf_header() {
  VcfHeader header(::bcf_hdr_read(input_.get()));
  if (!header) return fail(Code::kCorrupt, "its header is damaged");
  return header;
}

Result<bool> Files::next(sam_hdr_t* header, bam1_t* record) {
  const int got = ::sam_read1(input_.get(), header, record);
  if (got == -1) return false;
  if (got < -1) {
    const bool wants = ::hts_get_format(input_.get())->format == cram && reference_ == nullptr;
    return fail(Code::kCorrupt,
                std::string(wants ? "damaged, cut short, or in need of its reference (--reference "
                                    "FASTA, or at a site [genome] references)"
                                  : "damaged, cut short or not of this reference") +
                    ", behind record " + std::to_string(records_),
                Reason::kNoReference);
  }
  ++records_;
  return true;
}

Result<bool> Files::next(bcf_hdr_t* header, bcf1_t* record) {
  const int got = ::bcf_read(input_.get(), header, record);
  if (got == -1) return false;
  if (got < -1 || record->errcode != 0) {
    return fail(Code::kCorrupt, "damaged or cut short behind record " + std::to_string(records_));
  }
  ++records_;
  return true;
}

}  // namespace warifu::genome_helper
