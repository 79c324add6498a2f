// Options of `warifu site run|check|shares|audit` and of `warifu qkd`.
#include "apps/command_line.h"

namespace warifu::apps {

void process_commands(CLI::App& app, Common& common, Action& action) {
  static ConfigOptions config;
  CLI::App* site = app.add_subcommand("site", "run a site, look at what it holds");
  site->require_subcommand(1);
  auto* command = add(*site, "run", "run a site until it is told to stop",
                      "warifu site run --config /tmp/demo/sites/lsa/site.toml");
  command->add_option("--config", config.config, "configuration file (TOML)")->required();
  command->callback([&] { action = [&] { return site_run(config); }; });
  static CheckOptions checking;
  command = add(*site, "check", "does a configuration, and the policy in it, make sense",
                "warifu site check --config /tmp/demo/sites/tommo/site.toml\n"
                "  warifu site check --config site.toml --policy '2 of (origin, lsa, tuh)'");
  command->add_option("--config", checking.config, "configuration file (TOML)")->required();
  command->add_option("--policy", checking.policy,
                      "this policy in the place of the file's; up to 8 levels of nesting");
  command->add_flag("--json", common.json, "print one JSON document");
  command->callback([&] { action = [&] { return site_check(common, checking); }; });
  command = add(*site, "shares", "the shares that a site holds",
                "warifu site shares --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->callback([&] { action = [&] { return site_shares(common); }; });
  command = add(*site, "audit", "check the chain of a site's log and show its end",
                "warifu site audit --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->callback([&] { action = [&] { return audit_verify(common); }; });

  CLI::App* qkd = app.add_subcommand("qkd", "key devices");
  qkd->require_subcommand(1);
  command = add(*qkd, "rate-model", "run a key device that models a rate (origin RATE_MODEL)",
                "warifu qkd rate-model --config device.toml");
  command->add_option("--config", config.config, "configuration file (TOML)")->required();
  command->callback([&] { action = [&] { return rate_model_run(config); }; });
}

}  // namespace warifu::apps
