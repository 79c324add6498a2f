// Options of `warifu consent` and `warifu restore`.
#include "apps/command_line.h"

namespace warifu::apps {
namespace {

void give_command(CLI::App* consent, Common& common, Action& action) {
  static ConsentOptions give;
  auto* command = add(*consent, "give", "show what is asked, take the PIN, let the card prove it",
                      "warifu consent give --site S --object ID --purpose medicine "
                      "--grantee 'Dr. Ito' --card a.card");
  add_site(command, common);
  command->add_option("--object", give.object, "object id")->required();
  command->add_option("--purpose", give.purpose, "health, research or medicine")->required();
  command
      ->add_option("--grantee", give.grantee, "who will use it: NAME, organisation:NAME, role:NAME")
      ->required();
  command->add_option("--grantee-id", give.grantee_id, "an ORCID, a ROR, a licence number");
  command->add_option("--data-use", give.data_use,
                      "code of the Data Use Ontology: HMB, DS=TERM; again");
  command->add_option("--region", give.regions,
                      "ASSEMBLY:REFERENCE:START-END[=LABEL], gene:NAME, score:FILE; again");
  command->add_option("--decoys", give.decoys,
                      "hide regions from the share sites among so many others each: 0 to 16");
  command->add_option("--index", give.index, "with --region: a consent to the index given before");
  command->add_option("--capacity", give.capacity,
                      "whose consent it is: own, or in the person's place proxy or guardian");
  command->add_option("--destination", give.destination,
                      "site where it may be restored; default: this one");
  command->add_option("--uses", give.uses, "how many restores")->capture_default_str();
  command->add_option("--valid", give.valid, "for how long: 90s, 30m, 1h, 7d")
      ->capture_default_str();
  command->add_option("--lang", give.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", give.yes, "the person has read the text on another screen");
  add_card(command, give.card);
  command->callback([&] { action = [&] { return consent_give(common, give); }; });
}

void join_command(CLI::App* consent, Common& common, Action& action) {
  static ConsentOptions joining;
  auto* command =
      add(*consent, "join", "another guardian or officer consents to the same, together",
          "warifu consent join GRANT --card father.card --site S");
  add_site(command, common);
  command->add_option("grant", joining.joins, "the consent that the other one has given")
      ->required();
  command->add_option("--lang", joining.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", joining.yes, "the guardian has read the text on another screen");
  add_card(command, joining.card);
  command->callback([&] { action = [&] { return consent_give(common, joining); }; });
}

void emergency_command(CLI::App* consent, Common& common, Action& action) {
  static ConsentOptions emergency;
  emergency.purpose = "medicine";
  emergency.capacity = "emergency";
  auto* command = add(
      *consent, "emergency", "an officer opens an object without its person's card; others join",
      "warifu consent emergency --object ID --reason 'unconscious after an accident' "
      "--grantee 'Dr. Ito' --card officer.card --site S");
  add_site(command, common);
  command->add_option("--object", emergency.object, "object id")->required();
  command->add_option("--reason", emergency.reason, "why; the person will be told")->required();
  command->add_option("--grantee", emergency.grantee, "who will use it")->required();
  command->add_option("--grantee-id", emergency.grantee_id, "a licence number");
  command->add_option("--destination", emergency.destination,
                      "site where it may be restored; default: this one");
  command->add_option("--valid", emergency.valid, "for how long: 30m, 1h, at most 4h")
      ->capture_default_str();
  command->add_option("--lang", emergency.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", emergency.yes, "the officer has read the text on another screen");
  add_card(command, emergency.card);
  command->callback([&] { action = [&] { return consent_give(common, emergency); }; });
}

void list_command(CLI::App* consent, Common& common, Action& action) {
  static ConsentListOptions which;
  auto* command = add(*consent, "list", "consents given, the newest first",
                      "warifu consent list --person P-001 --site S");
  add_site(command, common);
  command->add_option("--person", which.person, "of one person only");
  command->add_option("--object", which.object, "to one object only");
  add_part(command, which.skip, which.limit);
  command->callback([&] { action = [&] { return consent_list(common, which); }; });
}

void receipt_command(CLI::App* consent, Common& common, Action& action) {
  static std::string shown;
  static bool fhir = false, provenance = false;
  auto* command = add(*consent, "receipt", "what was agreed, as a document for the person to keep",
                      "warifu consent receipt GRANT --site S > receipt.json\n"
                      "  warifu consent receipt GRANT --fhir --site S");
  add_site(command, common);
  command->add_option("grant", shown, "id of the consent")->required();
  command->add_flag("--fhir", fhir, "a FHIR R4 Consent instead");
  command->add_flag("--provenance", provenance, "a FHIR R4 Provenance of that Consent instead");
  command->callback([&] {
    action = [&] {
      return consent_receipt(common, shown, provenance ? "provenance" : fhir ? "fhir" : "receipt");
    };
  });
}

void import_command(CLI::App* consent, Common& common, Action& action) {
  static ConsentOptions importing;
  static std::string document;
  auto* command =
      add(*consent, "import", "a FHIR R4 Consent as a wish, shown and proved by the card",
          "warifu consent import --fhir consent.json --card a.card --site S");
  add_site(command, common);
  command->add_option("--fhir", document, "file with the Consent, as JSON")->required();
  command->add_option("--object", importing.object, "object id, where the document names none");
  command->add_option("--uses", importing.uses, "how many restores")->capture_default_str();
  command->add_option("--capacity", importing.capacity, "own, proxy or guardian");
  command->add_option("--lang", importing.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", importing.yes, "the person has read the text on another screen");
  add_card(command, importing.card);
  command->callback([&] { action = [&] { return consent_import(common, document, importing); }; });
}

void withdraw_command(CLI::App* consent, Common& common, Action& action) {
  static std::string withdrawn;
  auto* command = add(*consent, "withdraw", "take a consent back: no site honours it any more",
                      "warifu consent withdraw GRANT --site S");
  add_site(command, common);
  command->add_option("grant", withdrawn, "id of the consent")->required();
  command->callback([&] { action = [&] { return consent_withdraw(common, withdrawn); }; });
}

void restore_command(CLI::App& app, Common& common, Action& action) {
  static RestoreOptions restoring;
  auto* command = add(app, "restore", "put an object together under a consent",
                      "warifu restore ID --site S --grant GRANT --out genome.cram");
  add_site(command, common);
  command->add_option("object", restoring.object, "object id")->required();
  command->add_option("--grant", restoring.grant, "id of the consent")->required();
  command->add_option("--out", restoring.out, "file to write")->required();
  command->add_option("--using", restoring.using_shares,
                      "only these shares, for example A,B or A,C1,C2");
  command->add_option("--gather", restoring.gather, "site where nested shares are combined");
  command->add_option("--purpose", restoring.purpose, "purpose claimed; default: the consent's");
  command->add_option("--as", restoring.as, "who asks: as the consent names the grantee");
  command->add_option("--as-id", restoring.as_id, "the identifier, where the consent has one");
  command->add_option("--use", restoring.use,
                      "what the use will be: biomedical, non-profit; again");
  command->add_option("--region", restoring.regions,
                      "only this region, gene:NAME or score:FILE; again");
  command->add_option("--format", restoring.format, "of regions: bam, cram, vcf, vcf.gz, bcf");
  command->add_option("--resume", restoring.resume, "go on with this interrupted job");
  command->callback([&] { action = [&] { return restore(common, restoring); }; });
}

}  // namespace

void consent_commands(CLI::App& app, Common& common, Action& action) {
  CLI::App* consent = app.add_subcommand("consent", "the person's consent, by card");
  consent->require_subcommand(1);
  give_command(consent, common, action);
  join_command(consent, common, action);
  emergency_command(consent, common, action);
  list_command(consent, common, action);
  receipt_command(consent, common, action);
  import_command(consent, common, action);
  withdraw_command(consent, common, action);
  restore_command(app, common, action);
}

}  // namespace warifu::apps
