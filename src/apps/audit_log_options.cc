// Options of `warifu audit`.
#include "apps/command_line.h"

namespace warifu::apps {

void audit_log_commands(CLI::App& app, Common& common, Action& action) {
  static AuditLogOptions options;
  CLI::App* audit = app.add_subcommand("audit", "the log of a site: who got what, proved");
  audit->require_subcommand(1);
  auto* command =
      add(*audit, "list", "the records, the newest first", "warifu audit list --site S --limit 20");
  add_site(command, common);
  command->add_option("--from", options.from, "from this record on, the oldest first");
  command->add_option("--limit", options.most, "at most so many");
  command->callback([&] { action = [&] { return audit_list(common, options); }; });

  command =
      add(*audit, "verify", "ask every witness whether it has seen this log, and tell it more",
          "warifu audit verify --site S");
  add_site(command, common);
  command->callback([&] { action = [&] { return audit_verify_log(common); }; });

  command = add(*audit, "prove", "a proof that a record is in the log; or check one",
                "warifu audit prove 117 --site S > proof.json\n"
                "  warifu audit prove --check proof.json");
  command->add_option("record", options.record, "its number");
  command->add_option("--check", options.check, "check the proof in this file; no site is asked");
  command->add_option("--public-key", options.key, "the log's key that it must be signed with");
  add_site(command, common, SiteNeed::kSometimes);
  command->callback([&] { action = [&] { return audit_prove(common, options); }; });

  command = add(*audit, "export", "the records for other systems, on standard output",
                "warifu audit export --site S --format fhir > events.json");
  add_site(command, common);
  command->add_option("--format", options.format, "jsonl, fhir (AuditEvent) or dicom (XML)")
      ->check(CLI::IsMember({"jsonl", "fhir", "dicom"}));
  command->add_option("--from", options.from, "the first record, by number");
  command->add_option("--limit", options.most, "at most so many");
  command->callback([&] { action = [&] { return audit_export(common, options); }; });

  command = add(*audit, "erase", "forget what a record says, for ever; every proof stays",
                "warifu audit erase 117 --reason 'asked for by the person' --yes --site S");
  add_site(command, common);
  command->add_option("record", options.record, "its number")->required();
  command->add_option("--reason", options.reason, "stands in the log")->required();
  command->add_flag("--yes", options.yes, "do it");
  command->callback([&] { action = [&] { return audit_erase(common, options); }; });
}

}  // namespace warifu::apps
