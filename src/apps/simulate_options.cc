// The command line of `warifu simulate`.
#include "apps/command_line.h"

namespace warifu::apps {

void simulate_command(CLI::App& app, Action& action) {
  static SimulateOptions options;
  auto* command =
      add(app, "simulate", "what a network could store per day (simulated; modelled link rates)",
          "warifu simulate --networks 1,2,3 --html report.html");
  command->add_option("--network", options.network, "sites and links; default: 50 sites in Japan");
  command->add_flag("--print-network", options.print_network,
                    "print the built-in network, to begin your own");
  command->add_option("--networks", options.networks, "which draws of the link rates, as 1,2,3");
  command->add_option("--policies", options.policies,
                      "of vaults,nearest,residual,price (the planner)");
  command
      ->add_option("--exposure", options.exposure, "no relay may see two shares: on, off or both")
      ->check(CLI::IsMember({"on", "off", "both"}));
  command
      ->add_option("--directions", options.directions,
                   "own: half of the key each (Warifu); shared: all")
      ->check(CLI::IsMember({"own", "shared"}));
  command->add_option("--size", options.size, "size of a person's object");
  command->add_option("--days", options.days, "days that are simulated, 30 or more");
  command->add_option("--seed", options.seed, "the same seed gives the same figures");
  command->add_option("--failures", options.failures,
                      "share of links down, drawn anew every day: 0.05");
  command->add_option("--restores", options.restores, "share of objects restored on a day: 0.0001");
  command->add_option("--couriers", options.couriers,
                      "also with 1 to N couriers, on the dearest links");
  command->add_option("--json", options.json, "write the figures to this file; - prints them");
  command->add_option("--html", options.html, "write a page with map and curves to this file");
  command->callback([&] { action = [&] { return simulate_network(options); }; });
}

}  // namespace warifu::apps
