// `warifu-genome-helper`: reads one genome file for its parent. Descriptors: 0 the file, 1 what is
// written, 2 messages, 3 the task, 4 the answer.
//
// Everything before confine() sees only the task and the reference, which are the user's own;
// everything behind it may be under a hostile file's control.
#include <htslib/hts_log.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>

#include "genome_helper/confine.h"
#include "genome_helper/operations.h"

namespace {

using namespace warifu;
using namespace warifu::genome_helper;

constexpr int kTaskDescriptor = 3;
constexpr int kAnswerDescriptor = 4;
constexpr int kReferenceDescriptors = 16;  // htslib opens the FASTA below it

Result<genome::Task> read_task() {
  Bytes bytes;
  Bytes part(64 * 1024);
  for (;;) {
    const ssize_t got = ::read(kTaskDescriptor, part.data(), part.size());
    if (got < 0) return fail(Code::kIo, "started by warifu only: descriptor 3 holds no task");
    if (got == 0) return genome::parse_task(bytes);
    bytes.insert(bytes.end(), part.begin(), part.begin() + got);
    if (bytes.size() > genome::kMaxTaskBytes) return fail(Code::kProtocol, "the task is too long");
  }
}

Result<Bytes> perform(const genome::Task& task, const ReferenceFile* reference) {
  if (task.operation == genome::Operation::kIndex) return make_index(task);
  // Never closed: htslib's threads may wait for each other for ever when a damaged file is closed.
  // What is written is closed by the operation that succeeds; the process ends with its answer.
  Files& files = *new Files(task, reference);  // NOLINT(cppcoreguidelines-owning-memory)
  TRY(files.open_input());
  switch (task.operation) {
    case genome::Operation::kInspect: return inspect(task, files);
    case genome::Operation::kDigest: return digest(task, files);
    case genome::Operation::kReslice: return reslice(task, files);
    case genome::Operation::kTrim:
      return files.kind() == Kind::kReads ? trim_reads(task, files) : trim_variants(task, files);
    case genome::Operation::kPileup: return pileup(task, files);
    case genome::Operation::kIndex: break;
  }
  return fail(Code::kProtocol, "an unknown operation");
}

Result<Bytes> work() {
  // Whatever the parent left open. What the reference opens later is ours.
  if (::close_range(kAnswerDescriptor + 1, ~0U, 0) != 0) return fail(Code::kIo, "close_range");
  TRY_ASSIGN(const genome::Task task, read_task());
  ::hts_set_log_level(HTS_LOG_ERROR);
  std::unique_ptr<ReferenceFile> reference;
  if (!task.reference.empty()) {
    TRY_ASSIGN(reference, ReferenceFile::open(task.reference));
  }
  TRY(confine(task.memory_bytes, task.processor_seconds, reference ? kReferenceDescriptors : 0));
  // Kept open until the process ends: its records are read until then.
  const ReferenceFile* kept = reference.release();
  try {
    return perform(task, kept);
  } catch (const std::bad_alloc&) {
    return fail(Code::kCorrupt, "needs more memory than it is allowed");
  } catch (const std::exception& error) {
    return fail(Code::kCorrupt, error.what());
  }
}

bool answer(const Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t put = ::write(kAnswerDescriptor, bytes.data() + at, bytes.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += static_cast<std::size_t>(put);
  }
  return true;
}

}  // namespace

int main() {
  const auto done = work();
  const bool told = answer(done ? *done : warifu::genome::encode_error(done.error()));
  if (!told) std::fputs("warifu-genome-helper: started by warifu only\n", stderr);
  // Not through exit handlers: nothing is left to do, and they would run over damaged memory.
  ::_exit(told ? 0 : 1);
}
