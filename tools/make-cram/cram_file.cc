// CRAM output. The reference comes from the FASTA given by the user and from nowhere else.
#include "cram_file.h"

#include <htslib/cram.h>
#include <htslib/hfile.h>
#include <htslib/hts.h>
#include <unistd.h>

#include <cerrno>

#include "error.h"
#include "person.h"

namespace warifu::make_cram {
namespace {

constexpr const char* kReadGroup = "RG1";
constexpr std::uint8_t kMapq = 60;

std::string header_text(const Contig& contig, const std::string& command_line) {
  return fmt::format(
      "@HD\tVN:1.6\tSO:coordinate\n"
      "@SQ\tSN:{}\tLN:{}\tM5:{}\n"
      "@RG\tID:{}\tSM:{}\tLB:LIB1\tPL:ILLUMINA\n"
      "@PG\tID:warifu-make-cram\tPN:warifu-make-cram\tCL:{}\n",
      contig.name, contig.sequence.size(), contig.md5, kReadGroup, kSampleName, command_line);
}

}  // namespace

CramFile::CramFile(const CramTarget& target, const Contig& contig, const std::string& command_line)
    : path_(target.path), outlet_(path_), header_(sam_hdr_init()), record_(bam_init1()) {
  if (!header_ || !record_) fail("out of memory for the header of {}", path_);
  open();
  configure(target);
  write_header(target, contig, command_line);
}

void CramFile::open() {
  const int descriptor = outlet_.take_write_end();
  hFILE* stream = hdopen(descriptor, "w");
  if (stream == nullptr) {
    ::close(descriptor);
    fail("output {}: htslib cannot open a stream to it", path_);
  }
  // htslib copies the name into the file; a constant keeps the path of this machine out of it.
  file_.reset(hts_hopen(stream, "warifu-make-cram", "wc"));
  if (!file_) {
    hclose_abruptly(stream);
    fail("output {}: htslib cannot open it for CRAM", path_);
  }
}

void CramFile::configure(const CramTarget& target) {
  if (hts_set_opt(file_.get(), CRAM_OPT_VERSION, "3.0") != 0) {
    fail("output {}: htslib refused CRAM version 3.0", path_);
  }
  if (target.threads > 1 && hts_set_threads(file_.get(), target.threads) != 0) {
    fail("output {}: cannot start {} threads", path_, target.threads);
  }
}

void CramFile::write_header(const CramTarget& target, const Contig& contig,
                            const std::string& command_line) {
  const std::string text = header_text(contig, command_line);
  if (sam_hdr_add_lines(header_.get(), text.data(), text.size()) != 0) {
    fail("output {}: htslib refused the header", path_);
  }
  errno = 0;
  if (sam_hdr_write(file_.get(), header_.get()) != 0) broken("writing the header", errno);
  // Only now, because htslib would otherwise put the path of this machine into the header as UR.
  if (hts_set_opt(file_.get(), CRAM_OPT_REFERENCE, contig.reference_path.c_str()) != 0) {
    fail("output {}: htslib refused {} as reference", path_, contig.reference_path);
  }
  if (target.index_path.empty()) return;
  errno = 0;
  if (sam_idx_init(file_.get(), header_.get(), 0, target.index_path.c_str()) != 0) {
    fail("index {}: cannot create it: {}", target.index_path, describe_errno(errno));
  }
}

void CramFile::write(const Read& read) {
  constexpr std::uint32_t kAllMatch = bam_cigar_gen(kReadLength, BAM_CMATCH);
  const int made =
      bam_set1(record_.get(), read.name.size(), read.name.c_str(), read.flags, 0, read.position,
               kMapq, 1, &kAllMatch, 0, read.mate_position, read.template_length, read.bases.size(),
               read.bases.data(), reinterpret_cast<const char*>(read.qualities.data()), 16);
  if (made < 0) broken("making a record", errno);
  static const std::string group = kReadGroup;
  const auto* value = reinterpret_cast<const std::uint8_t*>(group.c_str());
  if (bam_aux_append(record_.get(), "RG", 'Z', static_cast<int>(group.size() + 1), value) != 0) {
    broken("adding a read group", errno);
  }
  errno = 0;
  if (sam_write1(file_.get(), header_.get(), record_.get()) < 0) broken("writing", errno);
  if (outlet_.error() != 0) broken("writing", outlet_.error());
  ++written_;
}

void CramFile::close() {
  errno = 0;
  // For CRAM this writes nothing: the index grows with the containers and ends with the file.
  if (sam_idx_save(file_.get()) != 0) broken("saving the index", errno);
  errno = 0;
  const int closed = sam_close(file_.release());
  const int code = errno;
  if (const int carried = outlet_.finish(); carried != 0) broken("writing", carried);
  if (closed != 0) broken("closing, which completes the index,", code);
}

void CramFile::broken(const char* what, int code) const {
  fail("output {}: {} failed after {} reads: {}", path_, what, written_, describe_errno(code));
}

}  // namespace warifu::make_cram
