// The pipe between the two.
#include "control/region_trim.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

namespace warifu::control {
namespace {

class Pipe {
 public:
  static Result<Pipe> open() {
    Pipe pipe;
    if (::pipe2(pipe.ends_, O_CLOEXEC) != 0) return fail(Code::kIo, "no pipe could be made");
    return pipe;
  }
  Pipe(Pipe&& other) noexcept : ends_{other.ends_[0], other.ends_[1]} {
    other.ends_[0] = other.ends_[1] = -1;
  }
  Pipe(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  [[nodiscard]] int reading() const { return ends_[0]; }
  void close_reading() { close_end(0); }
  void close_writing() { close_end(1); }
  // Errors: kCancelled when nobody reads any more (SIGPIPE is ignored by the program).
  Result<> write(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(ends_[1], bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) return fail(Code::kCancelled, "nobody reads what is restored any more");
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
  }

 private:
  Pipe() = default;
  void close_end(int end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  int ends_[2] = {-1, -1};
};

bool is_variants(genome::FileKind kind) {
  return kind == genome::FileKind::kVcf || kind == genome::FileKind::kBcf;
}
bool is_variants(genome::Output output) {
  return output != genome::Output::kBam && output != genome::Output::kCram;
}

}  // namespace

genome::Output usual_output(genome::FileKind kind) {
  switch (kind) {
    case genome::FileKind::kCram: return genome::Output::kCram;
    case genome::FileKind::kBam: return genome::Output::kBam;
    case genome::FileKind::kVcf: return genome::Output::kVcfGz;
    case genome::FileKind::kBcf: return genome::Output::kBcf;
  }
  return genome::Output::kBam;
}

Result<genome::Output> output_for(const std::string& format, genome::FileKind kind) {
  if (format.empty()) return usual_output(kind);
  const auto output = genome::output_of_name(format);
  if (output && is_variants(*output) == is_variants(kind)) return *output;
  return fail(Code::kInvalidArgument,
              "format '" + format + "' must be " +
                  (is_variants(kind) ? "vcf, vcf.gz or bcf" : "bam or cram") + " for a file of " +
                  std::string(genome::file_kind_name(kind)));
}

Result<genome::TrimReport> trim(const TrimWish& wish, ChunkWindow& window, const PlainSink& sink) {
  TRY_ASSIGN(Pipe pipe, Pipe::open());
  genome::Task task;
  task.operation = genome::Operation::kTrim;
  task.name = wish.name;
  task.reference = wish.reference;
  task.output = wish.output;
  // Records are given unchanged; whose they are and by which commands they were made is not.
  task.selection.keep_mates = true;
  for (const consent::Region& region : wish.regions.regions) {
    task.regions.push_back({region.reference, std::int64_t{region.start} - 1, region.end});
  }
  Result<> fed;
  std::thread feeder([&] {
    fed = genome::join(
        wish.cut, [&](std::uint64_t offset, MutableBytes out) { return window.read(offset, out); },
        [&](ByteView bytes) { return pipe.write(bytes); }, wish.name);
    pipe.close_writing();
  });
  auto report = genome::run_writing(task, {.descriptor = pipe.reading(), .memory = {}}, sink, {});
  pipe.close_reading();  // a feeder that still writes ends
  feeder.join();
  if (!fed && (report || fed.error().code != Code::kCancelled)) return std::unexpected(fed.error());
  if (!report) return report;
  TRY(window.finish());
  return report;
}

}  // namespace warifu::control
