// `warifu view`.
#include "apps/command_line.h"
#include "apps/view_cmd.h"

namespace warifu::apps {

void view_commands(CLI::App& app, Common& common, Action& action) {
  CLI::App* view = app.add_subcommand(
      "view", "consented regions in locked memory, for samtools, bcftools and IGV (htsget)");
  view->require_subcommand(1);
  static ViewOptions opening;
  auto* command =
      add(*view, "open", "fetch the regions of a consent once and serve them by htsget",
          "warifu view open --site S --grant GRANT --as 'role:clinician' --token-file token");
  add_site(command, common);
  command->add_option("--grant", opening.grant, "id of a consent to regions")->required();
  command->add_option("--as", opening.as, "who looks: as the consent names the grantee")
      ->required();
  command->add_option("--as-id", opening.as_id, "the identifier, where the consent has one");
  command->add_option("--use", opening.use, "what the use will be: biomedical, non-profit; again");
  command->add_option("--purpose", opening.purpose, "purpose claimed; default: the consent's");
  command->add_option("--region", opening.regions,
                      "only this region of the consent, or gene:NAME; again");
  command->add_flag("--clip", opening.clip,
                    "leave out what goes beyond the consent, instead of refusing it");
  command->add_option("--minutes", opening.minutes, "the view ends after that");
  command->add_option("--token-file", opening.token_file,
                      "write the token there (mode 0600) instead of printing it");
  command->callback([&] { action = [&] { return view_open(common, opening); }; });
  command = add(*view, "list", "views that are open", "warifu view list --site S");
  add_site(command, common);
  command->callback([&] { action = [&] { return view_list(common); }; });
  static std::string ended;
  command = add(*view, "end", "wipe a view's records and refuse its token",
                "warifu view end VIEW --site S");
  add_site(command, common);
  command->add_option("view", ended, "id of the view")->required();
  command->callback([&] { action = [&] { return view_end(common, ended); }; });
}

}  // namespace warifu::apps
