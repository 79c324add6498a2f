// Asking the control site of a simulated cluster, whether it is up or not: for tests that drive a
// cluster step by step. Inside a Schedule, by the thread that supervises.
#pragma once

#include <functional>

#include "testing/cluster.h"

namespace warifu::sim {

// The answer, once the site is there, answers without an error and has lived through it. Starts
// whoever is down meanwhile; a question that never succeeds ends the simulation.
template <typename Answer>
Answer ask_control(Cluster& cluster, const std::function<Result<Answer>(ClusterSite&)>& question) {
  for (;;) {
    cluster.supervise();
    {
      Cluster::Use control(cluster, kControlSite);
      if (control) {
        auto answer = question(*control.operator->());
        if (answer && control.counts()) return std::move(*answer);
      }
    }
    Schedule::sleep(std::chrono::milliseconds(50));
  }
}

}  // namespace warifu::sim
