// prctl and a seccomp filter of denied calls.
#include "pkcs11/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

namespace warifu::pkcs11 {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
constexpr std::uint32_t kOtherNumbers = 0x40000000;  // the x32 calls of x86-64

constexpr std::array kDenied = {__NR_execve,
                                __NR_execveat,
                                __NR_ptrace,
                                __NR_process_vm_readv,
                                __NR_process_vm_writev,
                                __NR_mount,
                                __NR_bpf,
                                __NR_keyctl,
                                __NR_init_module,
                                __NR_finit_module,
                                __NR_kexec_load,
                                __NR_pidfd_getfd,
                                __NR_io_uring_setup};

sock_filter statement(unsigned code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}
sock_filter jump(unsigned test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), yes, no, value};
}

// Calls of another architecture end the process; denied ones answer EPERM.
std::vector<sock_filter> filter() {
  const auto load = [](std::size_t at) {
    return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at));
  };
  const sock_filter deny = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  const sock_filter end = statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const sock_filter allow = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  std::vector<sock_filter> out = {
      load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0), end,
      load(offsetof(seccomp_data, nr)),   jump(BPF_JGE, kOtherNumbers, 0, 1), end};
  for (const auto number : kDenied) {
    out.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1));
    out.push_back(deny);
  }
  out.push_back(jump(BPF_JEQ, __NR_socket, 0, 3));
  out.push_back(load(offsetof(seccomp_data, args)));
  out.push_back(jump(BPF_JEQ, AF_UNIX, 1, 0));
  out.push_back(deny);
  out.push_back(allow);
  return out;
}

}  // namespace

Result<os::FileSandbox> confine(int keep, const std::string& module,
                            const std::vector<std::string>& folders) {
  const auto first = static_cast<unsigned>(keep);
  const bool closed = (keep <= 3 || ::close_range(3, first - 1, 0) == 0) &&
                      ::close_range(first < 3 ? 3 : first + 1, ~0U, 0) == 0;
  std::vector<sock_filter> program = filter();
  const sock_fprog loaded{static_cast<std::uint16_t>(program.size()), program.data()};
  const auto failed = [] {
    return fail(Code::kIo,
                std::string("the helper process cannot be confined: ") + std::strerror(errno));
  };
  if (!closed || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return failed();
  }
  TRY_ASSIGN(const os::FileSandbox files, os::keep_to_files(module, folders));
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) != 0) return failed();
  return files;
}

}  // namespace warifu::pkcs11
