// prctl, rlimits, Landlock, seccomp.
#include "genome_helper/confine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "os/file_sandbox.h"
#include "os/seccomp.h"

namespace warifu::genome_helper {
namespace {

// What decoding needs: open descriptors, memory, threads of this process, time.
constexpr std::array kAllowed = {__NR_fsync,
                                 __NR_fdatasync,
                                 __NR_read,
                                 __NR_readv,
                                 __NR_pread64,
                                 __NR_write,
                                 __NR_writev,
                                 __NR_lseek,
                                 __NR_close,
                                 __NR_fstat,
                                 __NR_munmap,
                                 __NR_mremap,
                                 __NR_brk,
                                 __NR_madvise,
                                 __NR_futex,
                                 __NR_exit,
                                 __NR_exit_group,
                                 __NR_rt_sigreturn,
                                 __NR_rt_sigprocmask,
                                 __NR_rt_sigaction,
                                 __NR_clock_gettime,
                                 __NR_clock_nanosleep,
                                 __NR_gettimeofday,
                                 __NR_getrandom,
                                 __NR_sched_yield,
                                 __NR_getpid,
                                 __NR_gettid,
                                 __NR_tgkill,
                                 __NR_set_robust_list,
                                 __NR_rseq,
                                 __NR_sched_getaffinity,
                                 __NR_restart_syscall};

constexpr std::uint32_t kExecutable = 4;  // PROT_EXEC

// All that is not named answers EPERM.
os::SeccompFilter filter() {
  using enum os::CallAnswer;
  os::SeccompFilter out;
  for (const auto number : kAllowed) out.answer(number, kAllow);
  out.answer_by_bits(__NR_mmap, 2, kExecutable, kDeny, kAllow);
  out.answer_by_bits(__NR_mprotect, 2, kExecutable, kDeny, kAllow);
  out.answer_by_bits(__NR_clone, 0, CLONE_THREAD, kAllow, kDeny);
  // Of an open descriptor only: fstat() of newer C libraries.
  out.answer_by_bits(__NR_newfstatat, 3, AT_EMPTY_PATH, kAllow, kDeny);
  // The C library then makes threads by clone, whose flags can be read above.
  out.answer(__NR_clone3, kUnknown);
  return out;
}

bool limit(int resource, std::uint64_t value) {
  const rlimit both{value, value};
  return ::setrlimit(static_cast<__rlimit_resource_t>(resource), &both) == 0;
}

}  // namespace

Result<> confine(std::uint64_t memory_bytes, std::uint64_t processor_seconds, int keep_up_to) {
  const auto first = static_cast<unsigned>(keep_up_to < 4 ? 5 : keep_up_to + 1);
  const std::string failed = "the process that reads genome files cannot be confined: ";
  if (::close_range(first, ~0U, 0) != 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
      ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !limit(RLIMIT_CORE, 0) ||
      !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_AS, memory_bytes) ||
      !limit(RLIMIT_CPU, processor_seconds) || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail(Code::kIo, failed + std::strerror(errno));
  }
  // Where the kernel has none, the filter denies the same calls.
  const auto files = os::keep_to_no_files();
  if (!files) return fail(files.error().code, failed + files.error().message);
  if (!filter().install(os::CallAnswer::kDeny)) {
    return fail(Code::kIo, failed + std::strerror(errno));
  }
  return {};
}

}  // namespace warifu::genome_helper
