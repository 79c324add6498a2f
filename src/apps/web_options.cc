// `warifu web`.
#include "apps/command_line.h"

namespace warifu::apps {

void web_commands(CLI::App& app, Common& common, Action& action) {
  CLI::App* web = app.add_subcommand("web", "the pages of a site, for browsers");
  web->require_subcommand(1);
  auto* command = add(*web, "status", "where the pages are, and who looks at them",
                      "warifu web status --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return web_status(common); }; });
  command = add(*web, "code", "a code that logs one browser of this machine in, once",
                "warifu web code --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return web_code(common); }; });
  command = add(*web, "sessions", "browsers that are logged in", "warifu web sessions --site S");
  add_site(command, common);
  command->callback([&] { action = [&] { return web_sessions(common); }; });
  static std::string session;
  static bool all = false;
  command = add(*web, "end", "end a session, or all of them", "warifu web end 3f09a1c2 --site S");
  add_site(command, common);
  auto* named = command->add_option("session", session, "id of the session");
  command->add_flag("--all", all, "every session")->excludes(named);
  command->callback([&] {
    if (session.empty() && !all) throw CLI::RequiredError("session (or --all)");
    action = [&] { return web_end(common, session); };
  });
}

}  // namespace warifu::apps
