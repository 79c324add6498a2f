// The figures of `warifu bench`: what is measured, against what, and the goal.
//
// Every figure is measured together with what it is compared with, in the same run and, where it
// can be repeated, in turns; the ratio is that of the medians. Peers and sites run as processes of
// their own, this program among them. Scratch files lie in one folder that is removed at the end,
// also after Ctrl-C. Main thread only.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::measure {

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  double ratio = 0;      // to `against`; 0: there is none
  std::string against;   // what the ratio compares with
  double goal = 0;       // of the ratio, or of the value when there is no ratio; 0: only stated
  bool at_most = false;  // the goal is an upper limit
  std::string note;
  bool measured = true;  // false: `note` says why not

  [[nodiscard]] bool met() const {
    const double reached = ratio > 0 ? ratio : value;
    return measured && (at_most ? reached <= goal : reached >= goal);
  }
};

struct Settings {
  std::string dir;         // for scratch files on disk
  std::string program;     // this program
  std::uint64_t size = 0;  // of the file; 0: the size that each figure names
  bool quick = false;      // one round, small files: shows that it works, not how fast
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const std::string&)> tell;  // what happens now, for people
};

// One thing that can be asked for by name; it may give several figures.
struct Measurement {
  std::string name;
  std::string what;
  bool minutes = false;  // takes longer than one minute; not part of a run without --only or --all
  std::function<Result<std::vector<Figure>>(const Settings&)> run;
};

// In the order of docs/performance.md.
[[nodiscard]] std::vector<Measurement> all_measurements();

// The machine, as text pairs in a fixed order: cpu, cores, kernel, memory, kernels, disk.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> machine(const std::string& dir);

}  // namespace warifu::measure
