// The sandboxed process, from the side of whoever starts it: `warifu-genome-helper`, the only
// program of this project that runs htslib. It lives for one task, without network, files, keys or
// the environment of its parent; a file that makes it crash, hang or grow costs this call only.
//
// Ownership: descriptors given in stay the caller's. One call uses one thread; calls may run side
// by side.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "genome/task.h"

namespace warifu::genome {

// Beside this program; where packages put it, otherwise.
[[nodiscard]] std::string helper_program();

// What the process reads as its file: a descriptor (of a file or the reading end of a pipe), or
// bytes in memory.
struct Input {
  int descriptor = -1;
  ByteView memory;  // when there is no descriptor
  // When there is neither: the next bytes; 0 at the end. Called by the calling thread.
  std::function<Result<std::size_t>(MutableBytes)> source;
};

struct RunOptions {
  std::string program = helper_program();
  std::uint64_t most_output = UINT64_MAX;   // more ends the process
  std::chrono::seconds patience{60};        // without any sign of life
  const std::atomic<bool>* stop = nullptr;  // ends the process when it turns true
  // Bytes of an input file or source read so far.
  std::function<void(std::uint64_t done)> progress;
};

// Each runs one process. Output goes to `sink` as it comes, and counts only when the function
// succeeds. Errors: kInvalidArgument, kNotFound (reference unknown, FASTA missing), kCorrupt (the
// file is damaged, or made the process crash or exceed its limits), kTimeout, kCancelled, kIo,
// those of the sink; messages begin with task.name.
[[nodiscard]] Result<Inspection> run_inspect(const Task& task, const Input& input,
                                             const RunOptions& options);
[[nodiscard]] Result<RecordDigest> run_digest(const Task& task, const Input& input,
                                              const RunOptions& options);
// For kIndex and kReslice the report counts records only where htslib tells them.
[[nodiscard]] Result<TrimReport> run_writing(const Task& task, const Input& input, const Sink& sink,
                                             const RunOptions& options);
// Positions without reads give empty pileups; order and number are those of task.sites.
[[nodiscard]] Result<std::vector<SitePileup>> run_pileup(const Task& task, const Input& input,
                                                         const RunOptions& options);

}  // namespace warifu::genome
