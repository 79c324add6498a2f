// `warifu card readers|show|emulate`.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/card_terminal.h"
#include "apps/enrolment_cmd.h"
#include "apps/output.h"
#include "apps/person_commands.h"
#include "pcsc/readers.h"
#include "pcsc/virtual_reader.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// Where Debian's virtual reader waits for a card in its first slot.
constexpr const char* kVirtualReader = "127.0.0.1:35963";
constexpr auto kConnectPatience = std::chrono::seconds(10);

}  // namespace

Result<> card_readers(const Common& common) {
  TRY_ASSIGN(const auto readers, pcsc::Readers::open(os::real_clock()));
  TRY_ASSIGN(const auto list, readers->list());
  json::array items;
  std::vector<std::vector<std::string>> rows;
  for (const auto& reader : list) {
    items.push_back({{"reader", reader.name},
                     {"state", pcsc::presence_name(reader.card)},
                     {"atr", to_hex(reader.atr)}});
    rows.push_back(
        {reader.name, std::string(pcsc::presence_name(reader.card)), to_hex(reader.atr)});
  }
  if (common.json) {
    print_json({{"readers", std::move(items)}});
  } else if (rows.empty()) {
    fmt::print("no card reader is connected\n");
  } else {
    print_table({"READER", "STATE", "ATR"}, rows);
  }
  return {};
}

Result<> card_show(const Common& common, const CardOptions& options) {
  TRY_ASSIGN(CardTerminal terminal, open_card(options));
  TRY_ASSIGN(const CardFacts facts, terminal.card->identify());
  TRY_ASSIGN(json::object shown, terminal.card->describe());
  shown["at"] = terminal.name;
  if (terminal.session != nullptr) shown["atr"] = to_hex(terminal.session->atr());
  if (common.json) {
    print_json(shown);
    return {};
  }
  if (card::is_signature(facts.kind)) {
    fmt::print("{} ({}, {}) at {}\ncertificate by {}, until {}; signatures: {}, computational\n",
               facts.card.text(), card_type_text(facts.kind),
               card::is_emulated(facts.kind) ? "emulated: a stand-in for a chip" : "chip",
               terminal.name, text_of(shown, "issuer"), text_of(shown, "valid_until"),
               text_of(shown, "scheme"));
    return {};
  }
  fmt::print("{} ({}, {}) at {}\n", facts.is_active ? facts.card.text() : "a blank card",
             card_type_text(facts.kind),
             card::is_emulated(facts.kind) ? "emulated: a stand-in for a chip" : "chip",
             terminal.name);
  if (!facts.is_active) return {};
  if (card::is_relayed(facts.kind)) {
    fmt::print("applications: {}, one for each site; no PIN: whoever holds it can use it\n",
               number_of(shown, "sites"));
    return {};
  }
  fmt::print("consents left: {}, at {} sites; objects: {}; tries of the PIN left: {}\n",
             number_of(shown, "keys_left"), number_of(shown, "sites"), number_of(shown, "objects"),
             number_of(shown, "pin_tries_left"));
  if (shown.at("few_left").as_bool()) {
    fmt::print("few consents are left; top the card up while there are any: warifu card top-up\n");
  }
  return {};
}

Result<> card_emulate(const CardEmulateOptions& options) {
  if (is_reader(options.card)) {
    return fail(Code::kInvalidArgument, "--card names the file of an emulated card here");
  }
  const std::string reader = options.reader.empty() ? kVirtualReader : options.reader;
  TRY_ASSIGN(const os::HostPort address, os::HostPort::parse(reader));
  TRY_ASSIGN(const auto type, card_type_of(options.type));
  auto card = card::open_card_file(os::real_system(), options.card.card, blank_of(type));
  if (!card) return fail_in("card", card.error());
  auto stream = os::connect_tcp(address, kConnectPatience);
  if (!stream) return fail_in("virtual reader (vpcd)", stream.error());
  (*stream)->set_timeout(std::chrono::milliseconds(0));  // the card waits for its reader
  fmt::print(stderr,
             "the emulated card '{}' lies on the virtual reader at {}; Ctrl-C takes it away\n",
             options.card.card, reader);
  // A signal ends this process, which is all that taking the card away means: what the card said it
  // had stored before.
  const pcsc::VirtualCardOptions tearing{
      .tear_after = options.remove_after == 0 ? std::nullopt : std::optional(options.remove_after)};
  TRY(pcsc::serve_virtual_reader(**card, **stream, tearing));
  return {};
}

Result<> card_make_blank(const CardEmulateOptions& options) {
  const std::string& file = options.card.card;
  if (is_reader(options.card)) {
    return fail(Code::kInvalidArgument, "name the file of an emulated card, not a reader");
  }
  TRY_ASSIGN(const auto type, card_type_of(options.type));
  const auto blank = blank_of(type);
  if (!blank) {
    return fail(Code::kInvalidArgument,
                "such a card comes from its issuer ('warifu card "
                "make-jpki' makes one of nobody)");
  }
  if (os::real_files().exists(file)) {
    return fail(Code::kAlreadyExists, "'" + file + "' is there already; it was left as it is");
  }
  const auto card = card::open_card_file(os::real_system(), file, blank);
  if (!card) return fail_in("card", card.error());
  fmt::print("'{}' is a blank emulated card\n", file);
  return {};
}

}  // namespace warifu::apps
