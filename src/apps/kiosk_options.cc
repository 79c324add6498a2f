// Options of `warifu kiosk` and `warifu request`.
#include "apps/command_line.h"
#include "apps/request_cmd.h"

namespace warifu::apps {

void kiosk_command(CLI::App& app, Common& common, Action& action) {
  static KioskOptions options;
  auto* command = add(app, "kiosk", "the terminal at which persons decide for themselves",
                      "warifu kiosk --card pcsc --site S\n"
                      "  warifu kiosk --card pcsc --site S --address-file /run/kiosk/kiosk.html");
  add_site(command, common);
  command->add_option(
      "--card", options.card.card,
      "pcsc or pcsc:READER for a card in a reader, or the file of an emulated card");
  add_token(command, options.card);
  command->add_option("--listen", options.listen,
                      "address of the page, on loopback; default: 127.0.0.1:8490");
  command->add_option("--name", options.name, "of this terminal, in grants; default: kiosk");
  command->add_option("--idle", options.idle,
                      "after so long without an act a session ends; default: 90s");
  command->add_option("--address-file", options.address_file,
                      "write the page's address, which has its key, into this file (0600); into a "
                      "page that leads there when its name ends in .html");
  command->callback([&] { action = [&] { return kiosk(common, options); }; });
}

namespace {

void ask_command(CLI::App* request, Common& common, Action& action) {
  static RequestOptions asked;
  auto* command = add(*request, "ask", "ask for it: the person decides at a kiosk, or by 'give'",
                      "warifu request ask --object ID --purpose medicine --grantee 'Dr. Ito' "
                      "--site S\n"
                      "  warifu request ask --person P-001 --purpose research --grantee "
                      "organisation:ToMMo --region GRCh38:chr17:43044295-43125364=BRCA1 --site S");
  add_site(command, common);
  command->add_option("--object", asked.object, "object id");
  command->add_option("--person", asked.person,
                      "instead: whose data, when only one object of the person is stored");
  command->add_option("--purpose", asked.purpose, "health, research or medicine")->required();
  command
      ->add_option("--grantee", asked.grantee,
                   "who will use it: NAME, organisation:NAME, role:NAME")
      ->required();
  command->add_option("--grantee-id", asked.grantee_id, "an ORCID, a ROR, a licence number");
  command->add_option("--data-use", asked.data_use,
                      "code of the Data Use Ontology: HMB, DS=TERM; again");
  command->add_option("--region", asked.regions,
                      "ASSEMBLY:REFERENCE:START-END[=LABEL], or gene:NAME; again");
  command->add_option("--decoys", asked.decoys,
                      "hide regions from the share sites among so many others each: 0 to 16");
  command->add_option("--destination", asked.destination,
                      "site where it may be restored; default: this one");
  command->add_option("--uses", asked.uses, "how many restores")->capture_default_str();
  command->add_option("--valid", asked.valid, "of the consent, once given: 30m, 1h, 7d");
  command->add_option("--open", asked.open, "how long the request waits; default: 7d");
  command->add_option("--note", asked.note, "a line to the person");
  command->callback([&] { action = [&] { return request_ask(common, asked); }; });
}

}  // namespace

void request_commands(CLI::App& app, Common& common, Action& action) {
  CLI::App* request = app.add_subcommand("request", "ask a person for a consent");
  request->require_subcommand(1);
  ask_command(request, common, action);
  static std::string id, person, object;
  auto* command =
      add(*request, "list", "requests and what became of them", "warifu request list --site S");
  add_site(command, common);
  command->add_option("--person", person, "of this person only");
  command->add_option("--object", object, "about this object only");
  command->callback([&] { action = [&] { return request_list(common, person, object); }; });
  for (const auto& [name, text] :
       {std::pair{"show", "one request"}, {"cancel", "it is not needed any more"}}) {
    command =
        add(*request, name, text, (std::string("warifu request ") + name + " ID --site S").c_str());
    add_site(command, common);
    command->add_option("request", id, "id of the request")->required();
    const bool is_show = std::string_view(name) == "show";
    command->callback([&, is_show] {
      action = [&, is_show] {
        return is_show ? request_show(common, id) : request_cancel(common, id);
      };
    });
  }
  static std::string why;
  command = add(*request, "refuse", "the person says no at this terminal",
                "warifu request refuse ID --site S");
  add_site(command, common);
  command->add_option("request", id, "id of the request")->required();
  command->add_option("--why", why, "in the person's words");
  command->callback([&] { action = [&] { return request_refuse(common, id, why); }; });
  static ConsentOptions given;
  command = add(*request, "give", "the person says yes at this terminal, and the card proves it",
                "warifu request give ID --card aoi.card --site S");
  add_site(command, common);
  command->add_option("request", given.request, "id of the request")->required();
  command->add_option("--index", given.index,
                      "of regions: a consent to the index that was given before");
  command->add_option("--lang", given.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", given.yes, "the person has read the text on another screen");
  add_card(command, given.card);
  command->callback([&] { action = [&] { return consent_give(common, given); }; });
}

}  // namespace warifu::apps
