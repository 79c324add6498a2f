// Rules as BPF.
#include "os/seccomp.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstddef>

namespace warifu::os {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
constexpr std::uint32_t kOtherNumbers = 0x40000000;  // the x32 calls of x86-64

sock_filter statement(unsigned code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}
sock_filter load(std::size_t at) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at));
}
sock_filter jump(unsigned test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), yes, no, value};
}

sock_filter give(CallAnswer answer) {
  switch (answer) {
    case CallAnswer::kAllow: return statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    case CallAnswer::kDeny: return statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    case CallAnswer::kUnknown: return statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  }
  return statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
}

}  // namespace

SeccompFilter::SeccompFilter() {
  const sock_filter end = statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  program_ = {load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 1, 0), end,
              load(offsetof(seccomp_data, nr)),   jump(BPF_JGE, kOtherNumbers, 0, 1), end};
}

void SeccompFilter::answer(long number, CallAnswer answer) {
  program_.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 1));
  program_.push_back(give(answer));
}

// The number stays loaded for the rules behind this one: who loads an argument also answers.
void SeccompFilter::answer_by(unsigned test, long number, unsigned argument, std::uint32_t operand,
                              CallAnswer yes, CallAnswer no) {
  program_.push_back(jump(BPF_JEQ, static_cast<std::uint32_t>(number), 0, 4));
  program_.push_back(load(offsetof(seccomp_data, args) + 8 * std::size_t{argument}));
  program_.push_back(jump(test, operand, 0, 1));
  program_.push_back(give(yes));
  program_.push_back(give(no));
}

void SeccompFilter::answer_by_bits(long number, unsigned argument, std::uint32_t bits,
                                   CallAnswer set, CallAnswer clear) {
  answer_by(BPF_JSET, number, argument, bits, set, clear);
}

void SeccompFilter::answer_by_value(long number, unsigned argument, std::uint32_t value,
                                    CallAnswer equal, CallAnswer other) {
  answer_by(BPF_JEQ, number, argument, value, equal, other);
}

bool SeccompFilter::install(CallAnswer others) {
  program_.push_back(give(others));
  const sock_fprog loaded{static_cast<std::uint16_t>(program_.size()), program_.data()};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) == 0;
}

}  // namespace warifu::os
