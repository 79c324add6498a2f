// The options of `warifu catalog`.
#include "apps/command_line.h"

namespace warifu::apps {

void catalog_commands(CLI::App& app, Common& common, Action& action) {
  static CatalogOptions options;
  CLI::App* catalog =
      app.add_subcommand("catalog", "the control site's records: copies, rebuilding, backup");
  catalog->require_subcommand(1);
  auto* command = add(*catalog, "status", "where copies stand, and what this site keeps of them",
                      "warifu catalog status --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return catalog_status(common); }; });

  command = add(*catalog, "copy", "bring the copies up to date now",
                "warifu catalog copy --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return catalog_copy(common); }; });

  command = add(*catalog, "allow",
                "let the control site read this site's share of the copies, for a time",
                "warifu catalog allow --site /tmp/demo/sites/lsa --minutes 60");
  add_site(command, common);
  command->add_option("--minutes", options.minutes, "for so long, at most a week (10080)");
  command->add_flag("--revoke", options.revoke, "end the leave now");
  command->callback([&] { action = [&] { return catalog_allow(common, options); }; });

  command = add(*catalog, "rebuild",
                "at a new control site: take over the newest copy, then what the shares tell",
                "warifu catalog rebuild --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->add_flag("--from-shares", options.from_shares, "without a copy");
  command->add_flag("--no-wait", options.no_wait, "return once the job is accepted");
  command->callback([&] { action = [&] { return catalog_rebuild(common, options); }; });

  command = add(*catalog, "forget", "give up the copies that this site keeps",
                "warifu catalog forget --yes --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->add_flag("--yes", options.yes, "it is meant");
  command->callback([&] { action = [&] { return catalog_forget(common, options); }; });

  command = add(*catalog, "backup", "write a consistent copy to a file, while the site runs",
                "warifu catalog backup /media/backup/catalog.db --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->add_option("file", options.file, "a new file; it names persons")->required();
  command->callback([&] { action = [&] { return catalog_backup(common, options); }; });

  command = add(*catalog, "check", "check every page and every rule of the records",
                "warifu catalog check --site /tmp/demo/sites/tommo");
  add_site(command, common);
  command->callback([&] { action = [&] { return catalog_check(common); }; });
}

}  // namespace warifu::apps
