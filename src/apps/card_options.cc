// Options of `warifu card`, and those of every command that a card takes part in.
#include "apps/command_line.h"
#include "apps/enrolment_cmd.h"

namespace warifu::apps {
namespace {

constexpr const char* kCardHelp =
    "pcsc or pcsc:READER for a card in a reader, or the file of an emulated card";

void add_wait(CLI::App* command, CardOptions& card) {
  command->add_option("--wait", card.wait,
                      "for a card to be put on the reader, or for each answer of a module; "
                      "default: 60s");
}

}  // namespace

void add_token(CLI::App* command, CardOptions& card) {
  command->add_option("--module", card.module,
                      "instead of --card: the file of a PKCS #11 module, for its token");
  command->add_option("--token-label", card.token_label, "which token; default: the only one");
  command->add_option("--key-id", card.key_id,
                      "id of its certificate in hexadecimal; default: the only one");
  command->add_option("--module-files", card.module_files,
                      "folder where the module keeps its tokens or settings; again");
}

void add_card(CLI::App* command, CardOptions& card) {
  command->add_option("--card", card.card, kCardHelp);
  add_token(command, card);
  command->add_option("--pin-file", card.pin_file,
                      "file with the PIN, - for standard input; without it you are asked");
  add_wait(command, card);
}

void add_card_type(CLI::App* command, std::string& type) {
  command->add_option("--card-type", type,
                      "what a new one is: one-time (a PIN, one-time keys) or desfire (type A, no "
                      "PIN); default: one-time");
}

void add_enrolled_card_type(CLI::App* command, std::string& type) {
  command->add_option("--card-type", type,
                      "one-time (a PIN, one-time keys), desfire (type A, no PIN), jpki (My Number "
                      "Card) or pkcs11 (another card that signs); default: one-time");
}

namespace {

void helper_command(CLI::App& app, Action& action) {
  static std::string module;
  CLI::App* helper = app.add_subcommand("pkcs11-helper", "the process that a module runs in");
  helper->group("");  // started by this program only
  static std::vector<std::string> folders;
  helper->add_option("--module", module)->required();
  helper->add_option("--module-files", folders);
  helper->callback([&] { action = [&] { return pkcs11_helper(module, folders); }; });
}

// What a card is and can do.
void inspect_commands(CLI::App* card, Common& common, Action& action) {
  static CardOptions shown;
  auto* command =
      add(*card, "readers", "the card readers, and which has a card", "warifu card readers");
  command->add_flag("--json", common.json, "print one JSON document");
  command->callback([&] { action = [&] { return card_readers(common); }; });

  command = add(*card, "show", "what a card says of itself without a PIN",
                "warifu card show --card pcsc\n  warifu card show --card aoi.card --json");
  command->add_flag("--json", common.json, "print one JSON document");
  command->add_option("--card", shown.card, kCardHelp);
  add_token(command, shown);
  add_wait(command, shown);
  command->callback([&] { action = [&] { return card_show(common, shown); }; });

  static CardOptions certified;
  command = add(*card, "jpki", "what a My Number Card's certificate application says without a PIN",
                "warifu card jpki --card pcsc");
  command->add_flag("--json", common.json, "print one JSON document");
  command->add_option("--card", certified.card, kCardHelp)->required();
  add_wait(command, certified);
  command->callback([&] { action = [&] { return card_jpki(common, certified); }; });
}

void top_up_command(CLI::App* card, Common& common, Action& action) {
  static TopUpOptions more;
  auto* command =
      add(*card, "top-up", "more one-time keys on a card, proved by it to every site",
          "warifu card top-up --card pcsc --site S\n"
          "  warifu card top-up --card aoi.card --keys 100 --pin-file pin --yes --site S");
  add_site(command, common);
  command->add_option("--keys", more.keys,
                      "how many more for each site; default: up to those of a new card");
  command->add_option("--lang", more.lang, "language of the text shown: en or ja");
  command->add_flag("--yes", more.yes, "the person has read the text on another screen");
  add_card(command, more.card);
  command->callback([&] { action = [&] { return card_top_up(common, more); }; });
}

// A card that is lost.
void lost_commands(CLI::App* card, Common& common, Action& action) {
  static RevokeOptions revoked;
  auto* command = add(*card, "revoke", "a lost or stolen card: worthless at every site from now on",
                      "warifu card revoke --person P-001 --why lost --yes --site S\n"
                      "  warifu card revoke CARD --yes --site S");
  add_site(command, common);
  command->add_option("card", revoked.card, "id of the card");
  command->add_option("--person", revoked.person, "whose card it is, instead of its id");
  command->add_option("--why", revoked.why, "for the log; default: lost");
  command->add_flag("--yes", revoked.yes, "there is no way back, and I know it");
  command->callback([&] { action = [&] { return card_revoke(common, revoked); }; });

  command =
      add(*card, "allow-reissue", "this site's officer lets another card take a lost one's place",
          "warifu card allow-reissue CARD --site /tmp/demo/sites/lsa");
  add_site(command, common);
  command->add_option("card", revoked.card, "id of the lost card")->required();
  command->add_option("--valid", revoked.valid, "how long the leave holds; default: 1h");
  command->callback([&] { action = [&] { return card_allow_reissue(common, revoked); }; });

  command = add(*card, "status", "records in safekeeping, and what sites have still to be told",
                "warifu card status --site S");
  add_site(command, common);
  command->callback([&] { action = [&] { return card_status(common); }; });
}

// Cards of nobody, for tests and kiosks.
void emulated_commands(CLI::App* card, Action& action) {
  static MakeJpkiOptions made;
  auto* command = add(*card, "make-jpki", "make an emulated My Number Card, of nobody, for tests",
                      "warifu card make-jpki nobody.card --pin-file pin --signature-pin-file pin2");
  command->add_option("file", made.file, "where its memory will be")->required();
  command->add_option("--pin-file", made.pin_file, "file with 4 digits")->required();
  command
      ->add_option("--signature-pin-file", made.signature_pin_file,
                   "file with 6 to 16 upper-case letters and digits")
      ->required();
  command->add_option("--authority", made.authority,
                      "PEM file of the authority that signs its certificates, EMULATED by name; "
                      "without it one that is forgotten");
  command->add_option("--authority-key", made.authority_key, "PEM file of that authority's key");
  command->add_option("--authority-out", made.authority_out,
                      "write the authority's certificate there, for cards.test_anchors of sites");
  command->callback([&] { action = [&] { return card_make_jpki(made); }; });

  static CardEmulateOptions blank;
  command = add(*card, "make-blank", "make a blank emulated card, to be enrolled at a kiosk",
                "warifu card make-blank new.card\n"
                "  warifu card make-blank new.card --card-type desfire");
  command->add_option("file", blank.card.card, "where its memory will be")->required();
  add_card_type(command, blank.type);
  command->callback([&] { action = [&] { return card_make_blank(blank); }; });

  static CardEmulateOptions emulated;
  command = add(*card, "emulate", "lay an emulated card on a virtual reader (vsmartcard's vpcd)",
                "warifu card emulate --card aoi.card\n"
                "  warifu card emulate --card aoi.card --reader 127.0.0.1:35964");
  command->add_option("--card", emulated.card.card, "file of the emulated card; made when missing")
      ->required();
  add_card_type(command, emulated.type);
  command->add_option("--reader", emulated.reader,
                      "where the virtual reader waits; default: 127.0.0.1:35963, its first slot");
  command->add_option("--remove-after", emulated.remove_after,
                      "take the card away behind so many commands");
  command->callback([&] { action = [&] { return card_emulate(emulated); }; });
}

}  // namespace

void card_commands(CLI::App& app, Common& common, Action& action) {
  helper_command(app, action);
  CLI::App* card = app.add_subcommand("card", "cards and the readers of this machine");
  card->require_subcommand(1);
  inspect_commands(card, common, action);
  top_up_command(card, common, action);
  lost_commands(card, common, action);
  emulated_commands(card, action);
}

}  // namespace warifu::apps
