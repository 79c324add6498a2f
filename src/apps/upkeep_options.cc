// The options of what keeps stored objects whole, among the commands of objects and of sites.
#include "apps/command_line.h"

namespace warifu::apps {

namespace {

void audit_commands(CLI::App& object, CLI::App& site, Common& common, Action& action) {
  static AuditOptions audit;
  static ScrubOptions scrub;
  auto* command =
      add(object, "audit",
          "do the shares still belong together? nothing is restored or shown to anybody",
          "warifu object audit ID --site S\n  warifu object audit --all --site S --json");
  add_site(command, common);
  auto* which = command->add_option("object", audit.object, "object id");
  auto* person = command->add_option("--person", audit.person, "all objects of this person");
  auto* all = command->add_flag("--all", audit.all, "everything that is stored");
  which->excludes(person)->excludes(all);
  person->excludes(all);
  command->callback([&] { action = [&] { return object_audit(common, audit); }; });
  command = add(site, "scrub", "how far a site has read its shares over, and what it found",
                "warifu site scrub --site /tmp/demo/sites/lsa\n"
                "  warifu site scrub --now --site /tmp/demo/sites/lsa");
  add_site(command, common);
  auto* now = command->add_flag("--now", scrub.now, "read all shares at once, at full speed");
  command->add_flag("--status", scrub.status, "only show how far it is (the default)")
      ->excludes(now);
  command->callback([&] { action = [&] { return site_scrub(common, scrub); }; });
}

void refresh_command(CLI::App& object, Common& common, Action& action) {
  static RefreshOptions refresh;
  auto* command = add(object, "refresh",
                      "give all shares a new generation, so that old copies become worthless",
                      "warifu object refresh ID --site S\n"
                      "  warifu object refresh ID --plan --site S\n"
                      "  warifu object refresh --status --site S\n"
                      "  warifu object refresh --person P-000123 --dealers 2 --site S\n"
                      "  warifu object refresh ID --key-after 2026-11-24T01:02:03Z --site S");
  add_site(command, common);
  auto* which = command->add_option("object", refresh.object, "object id");
  auto* person = command->add_option("--person", refresh.person, "all objects of this person");
  auto* all = command->add_flag("--all", refresh.all, "everything that is stored");
  which->excludes(person)->excludes(all);
  person->excludes(all);
  command->add_option("--dealers", refresh.dealers,
                      "trusted holders that deal, one after the other; default: the control site");
  command->add_option("--key-after", refresh.key_after,
                      "only with key that came in after this time (UTC)");
  command->add_flag("--plan", refresh.plan, "only show what would be done");
  command->add_flag("--status", refresh.status, "how old shares are, and how soon all can be new")
      ->excludes(which)
      ->excludes(person)
      ->excludes(all);
  command->add_flag("--no-wait", refresh.no_wait, "return once the job is accepted");
  command->callback([&] { action = [&] { return object_refresh(common, refresh); }; });
}

}  // namespace

void upkeep_commands(CLI::App& object, CLI::App& site, Common& common, Action& action) {
  static ObjectOptions which;
  static RelocateOptions relocate;
  static DeleteOptions removal;
  static SiteUpkeepOptions of;
  auto* command =
      add(object, "check", "is every share where it should be", "warifu object check ID --site S");
  add_site(command, common);
  command->add_option("object", which.object, "object id")->required();
  command->callback([&] { action = [&] { return object_check(common, which); }; });
  const auto relocation = [&](const char* name, const char* what, const char* example,
                              Result<> (*run)(const Common&, const RelocateOptions&)) {
    auto* verb = add(object, name, what, example);
    add_site(verb, common);
    verb->add_option("object", relocate.object, "object id")->required();
    verb->add_option("--share", relocate.share, "which share, like B or C2")->required();
    verb->add_option("--to", relocate.to, "the site that gets it; default: the best one");
    verb->add_flag("--plan", relocate.plan, "only show what would be done");
    verb->add_flag("--no-wait", relocate.no_wait, "return once the job is accepted");
    verb->callback(
        [&action, &common, run] { action = [&common, run] { return run(common, relocate); }; });
  };
  relocation("repair", "make a lost share anew out of others, without the person",
             "warifu object repair ID --share B --site S", object_repair);
  relocation("move", "bring a share to another site",
             "warifu object move ID --share B --to kyoto --site S", object_move);
  command = add(object, "reshare", "cut a share again that stands whole and should not",
                "warifu object reshare ID --site S");
  add_site(command, common);
  command->add_option("object", relocate.object, "object id")->required();
  command->add_option("--share", relocate.share, "which share, like C; default: all such shares");
  command->add_flag("--plan", relocate.plan, "only show what would be done");
  command->add_flag("--no-wait", relocate.no_wait, "return once the job is accepted");
  command->callback([&] { action = [&] { return object_reshare(common, relocate); }; });
  refresh_command(object, common, action);
  command = add(object, "delete", "make all sites delete an object's shares",
                "warifu object delete ID --yes --site S");
  add_site(command, common);
  command->add_option("object", removal.object, "object id")->required();
  command->add_flag("--yes", removal.yes, "it is meant");
  command->add_flag("--no-wait", removal.no_wait, "return once the job is accepted");
  command->callback([&] { action = [&] { return object_delete(common, removal); }; });
  const auto whole_site = [&](const char* name, const char* what, const char* example,
                              Result<> (*run)(const Common&, const SiteUpkeepOptions&)) {
    auto* verb = add(site, name, what, example);
    add_site(verb, common);
    verb->add_option("of", of.of, "the site's name")->required();
    verb->add_flag("--no-wait", of.no_wait, "return once the jobs are accepted");
    verb->callback(
        [&action, &common, run] { action = [&common, run] { return run(common, of); }; });
  };
  audit_commands(object, site, common, action);
  whole_site("repair", "make anew everything that a site has lost",
             "warifu site repair lsa --site /tmp/demo/sites/tommo", site_repair);
  whole_site("drain", "move everything that a site holds to other sites",
             "warifu site drain cloud2 --site /tmp/demo/sites/tommo", site_drain);
}

}  // namespace warifu::apps
