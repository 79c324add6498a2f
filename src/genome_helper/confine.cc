// prctl, rlimits, Landlock, seccomp.
#include "genome_helper/confine.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

namespace warifu::genome_helper {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
constexpr std::uint32_t kOtherNumbers = 0x40000000;  // the x32 calls of x86-64

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

sock_filter statement(unsigned code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}
sock_filter jump(unsigned test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), yes, no, value};
}
// The lower half of an argument: all that is tested is in it.
sock_filter load_argument(unsigned number) {
  return statement(BPF_LD | BPF_W | BPF_ABS,
                   static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * number));
}

// Calls of another architecture end the process; all that is not named answers EPERM.
std::vector<sock_filter> filter() {
  const auto load = [](std::size_t at) {
    return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at));
  };
  const sock_filter deny = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  const sock_filter unknown = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  const sock_filter end = statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const sock_filter allow = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  std::vector<sock_filter> out = {
      load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0), end,
      load(offsetof(seccomp_data, nr)),   jump(BPF_JGE, kOtherNumbers, 0, 1), end};
  for (const auto number : kAllowed) {
    out.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1));
    out.push_back(allow);
  }
  // `if the call is `number` and (argument & bits) is set: then; else: otherwise`.
  const auto by_bits = [&](long number, unsigned argument, std::uint32_t bits,
                           const sock_filter& then, const sock_filter& otherwise) {
    out.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 4));
    out.push_back(load_argument(argument));
    out.push_back(jump(BPF_JSET, bits, 0, 1));
    out.push_back(then);
    out.push_back(otherwise);
  };
  by_bits(__NR_mmap, 2, kExecutable, deny, allow);
  by_bits(__NR_mprotect, 2, kExecutable, deny, allow);
  by_bits(__NR_clone, 0, CLONE_THREAD, allow, deny);
  // Of an open descriptor only: fstat() of newer C libraries.
  by_bits(__NR_newfstatat, 3, AT_EMPTY_PATH, allow, deny);
  // The C library then makes threads by clone, whose flags can be read above.
  out.push_back(jump(BPF_JEQ, __NR_clone3, 0, 1));
  out.push_back(unknown);
  out.push_back(deny);
  return out;
}

bool limit(int resource, std::uint64_t value) {
  const rlimit both{value, value};
  return ::setrlimit(static_cast<__rlimit_resource_t>(resource), &both) == 0;
}

// Denies every access to files by path. False only when a kernel that has it refuses.
bool lock_land() {
  const long version =
      ::syscall(__NR_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return true;  // the seccomp filter denies the same calls
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;  // the first version's
  const long rules = ::syscall(__NR_landlock_create_ruleset, &attributes, sizeof attributes, 0);
  if (rules < 0) return false;
  const bool done = ::syscall(__NR_landlock_restrict_self, rules, 0) == 0;
  (void)::close(static_cast<int>(rules));
  return done;
}

}  // namespace

Result<> confine(std::uint64_t memory_bytes, std::uint64_t processor_seconds, int keep_up_to) {
  const auto first = static_cast<unsigned>(keep_up_to < 4 ? 5 : keep_up_to + 1);
  std::vector<sock_filter> program = filter();
  const sock_fprog loaded{static_cast<std::uint16_t>(program.size()), program.data()};
  const bool done = ::close_range(first, ~0U, 0) == 0 && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && limit(RLIMIT_CORE, 0) &&
                    limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_AS, memory_bytes) &&
                    limit(RLIMIT_CPU, processor_seconds) &&
                    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && lock_land() &&
                    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) == 0;
  if (done) return {};
  return fail(Code::kIo, std::string("the process that reads genome files cannot be confined: ") +
                             std::strerror(errno));
}

}  // namespace warifu::genome_helper
