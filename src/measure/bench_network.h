// A six-site network of processes for a measurement: made, started, and stopped by the destructor.
#pragma once

#include <map>

#include <boost/json/value.hpp>

#include "measure/process.h"

namespace warifu::measure {

class BenchNetwork {
 public:
  // `init` are further words for `net init`.
  [[nodiscard]] static Result<std::unique_ptr<BenchNetwork>> start(
      const Settings& settings, const std::string& parent, const std::vector<std::string>& init);
  ~BenchNetwork();
  BenchNetwork(const BenchNetwork&) = delete;
  BenchNetwork& operator=(const BenchNetwork&) = delete;

  [[nodiscard]] const std::string& dir() const { return scratch_.path(); }
  [[nodiscard]] std::string site(const std::string& name) const {
    return scratch_ / ("net/sites/" + name);
  }
  [[nodiscard]] std::string net() const { return scratch_ / "net"; }
  [[nodiscard]] std::string card() const { return scratch_ / "card"; }
  [[nodiscard]] std::string pin() const { return scratch_ / "pin"; }

  // `warifu WORDS --json`, its document. Errors: what the command said.
  [[nodiscard]] Result<boost::json::value> ask(const std::vector<std::string>& words) const;
  // Largest resident size since its start of every process, in bytes, by name.
  [[nodiscard]] std::map<std::string, std::uint64_t> peaks() const;
  // Bytes that the folder of the network takes on disk now.
  [[nodiscard]] std::uint64_t disk_bytes() const;

 private:
  BenchNetwork(const Settings& settings, Scratch scratch)
      : settings_(settings), scratch_(std::move(scratch)) {}
  const Settings& settings_;
  Scratch scratch_;
};

}  // namespace warifu::measure
