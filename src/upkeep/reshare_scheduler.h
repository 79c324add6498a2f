// Shares that stand whole though their object's policy cuts them again, and on which no job works:
// found, told, and cut.
//
// After the loss of a catalog such a share is all that is left of a cut that was under way; where
// the policy says that no site but the parts' may keep it, leaving it whole is a promise not kept.
// So the jobs that cut it begin by themselves, a few at a time, with priority `low`: everybody else
// draws key first. One that people have cancelled is left to people, one that failed rests for a
// day, one that cannot be planned for some minutes. `auto_reshare = false` leaves all to people;
// they are told all the same. Thread-safe; one thread of its own between start() and stop(). The
// desk must outlive it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "upkeep/upkeep_desk.h"

namespace warifu::upkeep {

struct UncutStatus {
  std::uint64_t objects = 0;    // committed, with such a share
  std::uint64_t under_way = 0;  // of them: a job cuts it, or will
  std::uint64_t waiting = 0;    // a job begins by itself, when it is its turn
  std::uint64_t left = 0;       // for people: cancelled, failed, or nothing begins by itself
  std::string problem;          // why the last one did not begin, or failed; empty: nothing
};

class ReshareScheduler {
 public:
  ReshareScheduler(control::JobEngine& engine, UpkeepDesk& desk) : engine_(engine), desk_(desk) {}
  ~ReshareScheduler() { stop(); }

  void start();
  void stop();
  // Looks at once.
  void hurry();
  // As it is now; nothing begins by that. Errors: the catalog's.
  [[nodiscard]] Result<UncutStatus> status();

 private:
  enum class Stand : std::uint8_t { kUnderWay, kWaiting, kLeft };
  struct Found {
    Stand stand = Stand::kWaiting;
    std::string problem;  // of one that failed
  };
  void run(const std::stop_token& stop);
  // Begins what is to be begun.
  Result<> step();
  // Every object with such a share, with how it stands; ends when `hear` says false.
  Result<> look(const std::function<bool(const ObjectId&, const Found&)>& hear);
  // `known_since`: when the catalog was rebuilt last.
  Result<Found> find(const ObjectId& object, os::UnixMs known_since);
  Result<std::size_t> count_under_way();
  // Told once.
  void note(const std::string& problem);

  control::JobEngine& engine_;
  UpkeepDesk& desk_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool hurried_ = false;
  std::string problem_;
  std::map<ObjectId, std::chrono::nanoseconds> rests_;  // until when; of the scheduler's own thread
  std::jthread thread_;
};

}  // namespace warifu::upkeep
