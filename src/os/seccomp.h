// Calls of the kernel that a process gives up: a seccomp filter, rule by rule.
//
// The first rule that names a call decides. Calls of another architecture, and the x32 calls of
// x86-64, end the process whatever the rules say. Ownership: a value. One thread.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace warifu::os {

enum class CallAnswer : std::uint8_t {
  kAllow,
  kDeny,     // EPERM
  kUnknown,  // ENOSYS, as of a kernel that does not have it
};

class SeccompFilter {
 public:
  SeccompFilter();
  // `number` as __NR_... has it.
  void answer(long number, CallAnswer answer);
  // By the lower half of an argument, counted from 0: whether any of `bits` is set in it.
  void answer_by_bits(long number, unsigned argument, std::uint32_t bits, CallAnswer set,
                      CallAnswer clear);
  // By the lower half of an argument: whether it is `value`.
  void answer_by_value(long number, unsigned argument, std::uint32_t value, CallAnswer equal,
                       CallAnswer other);
  // For the whole process, for good, after PR_SET_NO_NEW_PRIVS; calls without a rule are answered
  // by `others`. False, with errno, when the kernel does not do it.
  [[nodiscard]] bool install(CallAnswer others);

 private:
  void answer_by(unsigned test, long number, unsigned argument, std::uint32_t operand,
                 CallAnswer yes, CallAnswer no);

  std::vector<sock_filter> program_;
};

}  // namespace warifu::os
