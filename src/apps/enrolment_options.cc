// Options of `warifu enrolment`.
#include "apps/command_line.h"
#include "apps/enrolment_cmd.h"

namespace warifu::apps {

void enrolment_commands(CLI::App& app, Common& common, Action& action) {
  static EnrolmentOptions ordered;
  CLI::App* enrolment = app.add_subcommand("enrolment", "people to be enrolled at a kiosk");
  enrolment->require_subcommand(1);
  auto* command = add(*enrolment, "order", "a kiosk enrols a person, by the code that is printed",
                      "warifu enrolment order --id P-001 --name 'A. Sato' --site S\n"
                      "  warifu enrolment order --id P-001 --again --site S");
  add_site(command, common);
  command->add_option("--id", ordered.person, "the biobank's id for the person")->required();
  command->add_option("--name", ordered.name, "name shown to staff, of a new person");
  command->add_flag("--again", ordered.again, "another card in the place of a lost one");
  command->add_option("--keys", ordered.keys, "one-time keys per site: how many consents");
  command->add_option("--open", ordered.open, "how long it waits: 1h, 7d; default: 24h");
  add_enrolled_card_type(command, ordered.card_type);
  command->callback([&] { action = [&] { return enrolment_order(common, ordered); }; });

  command =
      add(*enrolment, "list", "orders and what became of them", "warifu enrolment list --site S");
  add_site(command, common);
  command->callback([&] { action = [&] { return enrolment_list(common); }; });

  static std::string id;
  command = add(*enrolment, "cancel", "nobody is enrolled by it any more",
                "warifu enrolment cancel ID --site S");
  add_site(command, common);
  command->add_option("order", id, "id of the order")->required();
  command->callback([&] { action = [&] { return enrolment_cancel(common, id); }; });
}

}  // namespace warifu::apps
