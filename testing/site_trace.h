// One run of the two simulated sites in words, for whoever looks into a seed: the acts, the frames
// and what the line did to them, every use that the ledgers enter, and each violation right under
// what caused it.
//
// A trace changes nothing: the run is that of the seed without one. Thread rule: whoever has the
// turn.
#pragma once

#include <ostream>

#include "testing/site_ledger.h"

namespace warifu::sim {

class SiteTrace {
 public:
  // Nothing is told when `out` is nullptr. Both must outlive the trace.
  SiteTrace(std::ostream* out, const SiteViolations& found) : out_(out), found_(found) {}

  [[nodiscard]] bool on() const { return out_ != nullptr; }
  // One line.
  template <typename... Parts>
  void say(const Parts&... parts) {
    if (!on()) return;
    tell_violations();
    ((*out_ << parts), ...) << '\n';
  }
  // What was violated since the last line.
  void tell_violations();

 private:
  std::ostream* out_;
  const SiteViolations& found_;
  SiteViolations told_;
};

[[nodiscard]] constexpr const char* site_name(std::size_t site) {
  return site == 0 ? "a" : "b";
}
// "left 1024 to 1040 for control in conversation 3"
std::ostream& operator<<(std::ostream& out, const Use& use);
// The frame's type, length, place in the pad and number, as its header says.
[[nodiscard]] std::string frame_text(ByteView frame);

}  // namespace warifu::sim
