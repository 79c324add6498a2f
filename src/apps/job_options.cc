// The options of jobs.
#include <fmt/format.h>

#include "apps/command_line.h"

namespace warifu::apps {

void job_commands(CLI::App& app, Common& common, Action& action) {
  static JobOptions which;
  CLI::App* job = app.add_subcommand("job", "work in progress");
  job->require_subcommand(1);
  auto* command =
      add(*job, "list", "all jobs, newest first", "warifu job list --site S --state waiting_key");
  add_site(command, common);
  command->add_option("--state", which.state,
                      "only those: waiting_key, running, paused, done, ...");
  add_part(command, which.skip, which.limit);
  command->callback([&] { action = [&] { return job_list(common, which); }; });
  command =
      add(*job, "priority", "whose turn comes first", "warifu job priority JOB urgent --site S");
  add_site(command, common);
  command->add_option("job", which.job, "job id")->required();
  command->add_option("priority", which.priority, "low, usual or urgent")->required();
  command->callback([&] { action = [&] { return job_priority(common, which); }; });
  command = add(*job, "show", "one job", "warifu job show JOB --site S");
  add_site(command, common);
  command->add_option("job", which.job, "job id")->required();
  command->callback([&] { action = [&] { return job_show(common, which); }; });
  command = add(*job, "watch", "follow a job to its end", "warifu job watch JOB --site S");
  add_site(command, common);
  command->add_option("job", which.job, "job id")->required();
  command->callback([&] { action = [&] { return job_watch(common, which); }; });
  for (const auto& [name, what] :
       {std::pair{"pause", "interrupt a job, and give its key leases to others"},
        std::pair{"resume", "go on with a paused job"},
        std::pair{"cancel", "end a job and take back what it did, unless it has committed"}}) {
    command = add(*job, name, what, fmt::format("warifu job {} JOB --site S", name).c_str());
    add_site(command, common);
    command->add_option("job", which.job, "job id")->required();
    command->callback([&, name] { action = [&, name] { return job_order(common, which, name); }; });
  }
}

}  // namespace warifu::apps
