// Options of `warifu keys use`.
#include "apps/command_line.h"

namespace warifu::apps {

void keys_use_command(CLI::App& keys, Common& common, Action& action) {
  static SwitchOptions options;
  auto* command = add(keys, "use", "switch what a link's key is used for; alone: what is switched",
                      "warifu keys use --site S --link tuh --for sharing random\n"
                      "  warifu keys use --site S --link tuh --for transport off\n"
                      "  warifu keys use --site S");
  add_site(command, common);
  command->add_option("--link", options.link, "the link to this site");
  command
      ->add_option("--for", options.use,
                   "sharing (key or random), transport or applications (on or off)")
      ->check(CLI::IsMember({"sharing", "transport", "applications"}));
  command->add_option("value", options.value,
                      "key, random or default of sharing; on or off of the others");
  command->callback([&] { action = [&] { return keys_use(common, options); }; });
}

}  // namespace warifu::apps
