// prctl and a seccomp filter of denied calls.
#include "pkcs11/confine.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "os/seccomp.h"

namespace warifu::pkcs11 {
namespace {

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

// Denied ones answer EPERM, and every socket but one of this machine.
os::SeccompFilter filter() {
  os::SeccompFilter out;
  for (const auto number : kDenied) out.answer(number, os::CallAnswer::kDeny);
  out.answer_by_value(__NR_socket, 0, AF_UNIX, os::CallAnswer::kAllow, os::CallAnswer::kDeny);
  return out;
}

}  // namespace

Result<os::FileSandbox> confine(int keep, const std::string& module,
                                const std::vector<std::string>& folders) {
  const auto first = static_cast<unsigned>(keep);
  const bool closed = (keep <= 3 || ::close_range(3, first - 1, 0) == 0) &&
                      ::close_range(first < 3 ? 3 : first + 1, ~0U, 0) == 0;
  const auto failed = [] {
    return fail(Code::kIo,
                std::string("the helper process cannot be confined: ") + std::strerror(errno));
  };
  if (!closed || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return failed();
  }
  TRY_ASSIGN(const os::FileSandbox files, os::keep_to_files(module, folders));
  if (!filter().install(os::CallAnswer::kAllow)) return failed();
  return files;
}

}  // namespace warifu::pkcs11
