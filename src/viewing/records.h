// The records that a view holds: one file in locked memory with its index, and what is cut from it.
//
// Cuts are made by the sandboxed process (genome/tool.h), exactly: a record is given when it
// overlaps what is asked for, once, in the order of the file. Immutable but for the headers, which
// are made once for each format. Thread-safe.
#pragma once

#include <map>
#include <mutex>

#include "genome/tool.h"
#include "htsget/judge.h"
#include "viewing/held_file.h"

namespace warifu::viewing {

inline constexpr std::chrono::seconds kPatience{30};    // with a process without a sign of life
inline constexpr std::uint64_t kProcessorSeconds = 60;  // of one cut

struct Piece {
  HeldFile file;
  std::uint64_t records = 0;
};

class Records {
 public:
  struct Source {
    HeldFile file;   // BAM, VCF.gz or BCF, sealed, sorted
    HeldFile index;  // for one of it; empty, but may have memory
    std::uint64_t records = 0;
    std::vector<genome::NamedRegion> regions;  // that were consented to
    std::string reference;                     // FASTA for CRAM, where the site has one
  };
  // Makes the index. Errors: those of the process and of the memory.
  [[nodiscard]] static Result<std::unique_ptr<Records>> make(Source source, Budget& budget,
                                                             const std::atomic<bool>& stop);

  [[nodiscard]] htsget::Datatype datatype() const;
  // Regions merged and by the file's own names.
  [[nodiscard]] const htsget::Consented& consented() const { return consented_; }
  [[nodiscard]] std::uint64_t records() const { return source_.records; }
  [[nodiscard]] std::uint64_t bytes() const { return source_.file.bytes().size(); }

  // The header without an end-of-file marker; valid as long as this object.
  [[nodiscard]] Result<ByteView> header(htsget::Format format);
  // Of the file in memory that would be read for these.
  [[nodiscard]] Result<std::uint64_t> bytes_of(
      const std::vector<genome::NamedRegion>& regions) const;
  // What follows the header: the records of these regions and the end-of-file marker.
  [[nodiscard]] Result<Piece> body(const htsget::Request& request,
                                   const std::vector<genome::NamedRegion>& regions);

 private:
  Records(Source source, Budget& budget, const std::atomic<bool>& stop)
      : source_(std::move(source)), budget_(budget), stop_(stop) {}
  Result<> look_at_file();
  Result<> make_index();
  Result<genome::Cut> cut_of(const std::vector<genome::NamedRegion>& regions) const;
  [[nodiscard]] genome::Task task_for(htsget::Format format) const;
  [[nodiscard]] genome::RunOptions options() const;
  Result<Piece> run(const genome::Task& task, const genome::Cut* cut, ByteView header) const;

  Source source_;
  Budget& budget_;
  const std::atomic<bool>& stop_;
  genome::FileKind kind_ = genome::FileKind::kBam;
  genome::WholeFile whole_;
  htsget::Consented consented_;
  std::mutex mutex_;
  std::map<htsget::Format, HeldFile> headers_;
};

}  // namespace warifu::viewing
