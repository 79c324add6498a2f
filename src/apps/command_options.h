// What commands of `warifu` have in common: where they go, and the card at this terminal.
//
// The options of a command are a value, which the command line is parsed into (command_line.h);
// each function does its work, prints for people or as JSON, and returns an error for main.cc to
// print and turn into an exit code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "secret/secret.h"

namespace warifu::apps {

struct Common {
  bool json = false;
  std::string site;  // folder of the site that the command talks to
  std::string net;   // folder of a network
  std::string url;   // https://host:port of a site's API, in the place of its folder
  std::string cert;  // PEM files of the operator, for `url`
  std::string key;
  std::string ca;
  std::string passphrase_file;  // for acts that a site has confirmed; "-" standard input
};

// The person's card at this terminal: in a reader, or emulated with its memory in a file.
struct CardOptions {
  std::string card;          // "pcsc", "pcsc:READER" or a file
  std::string pin_file;      // "-" reads standard input; empty asks at the terminal
  std::string wait = "60s";  // for a card to be put on the reader; for each answer of a module
  // A PKCS #11 token instead: its module's file; empty: none.
  std::string module, token_label, key_id;  // key_id in hexadecimal
  std::vector<std::string> module_files;    // folders that the module may read and write
  // Of a kiosk, which has no terminal to ask at: the PIN as the page gave it, if it did; else it
  // can only come from the reader's own pad.
  bool asks_nobody = false;
  std::shared_ptr<const secret::Buffer> pin;
};

}  // namespace warifu::apps
