// Options of `warifu person show|proxy|guardians|died|lives|orders|allow|decline`.
#include "apps/command_line.h"

namespace warifu::apps {
namespace {

void proxy_commands(CLI::App& person, Common& common, Action& action) {
  static ProxyOptions naming;
  CLI::App* proxy = person.add_subcommand("proxy", "who may consent in a person's place");
  proxy->require_subcommand(1);
  auto* command = add(*proxy, "add", "the person's card names a proxy",
                      "warifu person proxy add --id P-001 --proxy P-002 --card a.card --site S");
  add_site(command, common);
  command->add_option("--id", naming.id, "the person")->required();
  command->add_option("--proxy", naming.proxy, "an enrolled person")->required();
  command->add_option("--purpose", naming.purposes,
                      "for this only: health, research or medicine; again");
  command->add_option("--object", naming.object, "for this object only");
  command->add_option("--valid", naming.valid, "for how long: 90d, 365d")->capture_default_str();
  command->add_flag("--testamentary", naming.testamentary, "after the person's death, not before");
  command->add_option("--authority", naming.authority, "document of authority: its digest is kept");
  command->add_option("--lang", naming.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", naming.yes, "the person has read the text on another screen");
  add_card(command, naming.card);
  command->callback([&] { action = [&] { return proxy_add(common, naming); }; });
  command = add(*proxy, "remove", "somebody is proxy no more",
                "warifu person proxy remove --id P-001 --proxy P-002 --site S");
  add_site(command, common);
  command->add_option("--id", naming.id, "the person")->required();
  command->add_option("--proxy", naming.proxy, "the proxy")->required();
  command->callback([&] { action = [&] { return proxy_remove(common, naming); }; });
}

void emergency_commands(CLI::App& person, Common& common, Action& action) {
  static EmergencyOptions leave;
  CLI::App* emergency =
      person.add_subcommand("emergency", "whether officers may open data without the card");
  emergency->require_subcommand(1);
  auto* command = add(*emergency, "allow", "the person's card allows it beforehand",
                      "warifu person emergency allow --id P-001 --card a.card --site S");
  add_site(command, common);
  command->add_option("--id", leave.id, "the person")->required();
  command->add_option("--object", leave.object, "this object only; default: all");
  command->add_option("--valid", leave.valid, "for how long: 90d, 365d")->capture_default_str();
  command->add_option("--lang", leave.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", leave.yes, "the person has read the text on another screen");
  add_card(command, leave.card);
  command->callback([&] { action = [&] { return emergency_allow(common, leave); }; });
  command = add(*emergency, "forbid", "no more; needs no card",
                "warifu person emergency forbid --id P-001 --site S");
  add_site(command, common);
  command->add_option("--id", leave.id, "the person")->required();
  command->add_option("--object", leave.object, "this object only; default: all");
  command->callback([&] { action = [&] { return emergency_forbid(common, leave); }; });
}

void order_commands(CLI::App& person, Common& common, Action& action) {
  static std::string order;
  auto* command = add(person, "orders", "what waits for an officer of this site",
                      "warifu person orders --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->callback([&] { action = [&] { return person_orders(common); }; });
  command = add(person, "allow", "an officer of this site allows an order",
                "warifu person allow ORDER --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->add_option("order", order, "id of the order")->required();
  command->callback([&] { action = [&] { return person_answer_order(common, order, true); }; });
  command = add(person, "decline", "an officer of this site declines an order",
                "warifu person decline ORDER --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->add_option("order", order, "id of the order")->required();
  command->callback([&] { action = [&] { return person_answer_order(common, order, false); }; });
}

}  // namespace

void people_commands(CLI::App& person, Common& common, Action& action) {
  static GuardianOptions about;
  static std::string shown;
  auto* command = add(person, "show", "a person, with proxies and guardians",
                      "warifu person show --id P-001 --site S");
  add_site(command, common);
  command->add_option("--id", shown, "the biobank's id for the person")->required();
  command->callback([&] { action = [&] { return person_show(common, shown); }; });
  proxy_commands(person, common, action);
  emergency_commands(person, common, action);
  command = add(person, "guardians", "orders guardians for a person who is under age",
                "warifu person guardians --id P-009 --name 'C. Sato' --guardian P-001 --guardian "
                "P-002 --of-age 2044-04-01 --site S");
  add_site(command, common);
  command->add_option("--id", about.id, "the ward; enrolled here when nobody is")->required();
  command->add_option("--name", about.name, "name of a new ward");
  command->add_option("--guardian", about.guardians, "an enrolled person; again")->required();
  command->add_option("--needed", about.needed, "so many of them together; default: all");
  command->add_option("--of-age", about.of_age, "day of coming of age (UTC): 2044-04-01")
      ->required();
  command->add_option("--authority", about.authority, "document of authority: its digest is kept");
  command->callback([&] { action = [&] { return guardians_set(common, about); }; });
  for (const bool has_died : {true, false}) {
    command =
        add(person, has_died ? "died" : "lives",
            has_died ? "orders that every consent of a person who has died ends"
                     : "orders that a death was told in error",
            has_died ? "warifu person died --id P-001 --authority certificate.pdf --yes --site S"
                     : "warifu person lives --id P-001 --site S");
    add_site(command, common);
    command->add_option("--id", about.id, "the person")->required();
    command->add_option("--authority", about.authority, "the certificate: its digest is kept");
    if (has_died) command->add_flag("--yes", about.yes, "do it");
    command->callback([&, has_died] {
      action = [&, has_died] { return person_death(common, about, has_died); };
    });
  }
  order_commands(person, common, action);
}

}  // namespace warifu::apps
