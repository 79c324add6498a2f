// What a wrong command line is answered with: what is wrong, what was perhaps meant, and where the
// help is. Nothing else of the program has run by then. One thread.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/command_line.h"
#include "apps/output.h"

namespace warifu::apps {
namespace {

// A word that is further away than this was not meant.
constexpr std::size_t kMostSlips = 2;

// How many letters must be put in, left out or replaced to make one word the other (Levenshtein).
std::size_t slips(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0UZ);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t before = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = before + (a[i - 1] == b[j - 1] ? 0 : 1);
      before = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// "; did you mean 'status'?", or nothing where no known word is near.
std::string perhaps(std::string_view word, const std::vector<std::string>& known) {
  const auto distance = [&](const std::string& other) { return slips(word, other); };
  const auto nearest = std::ranges::min_element(known, {}, distance);
  if (nearest == known.end()) return {};
  const std::size_t most = std::min(kMostSlips, word.size() / 2);
  return distance(*nearest) > most ? std::string() : fmt::format("; did you mean '{}'?", *nearest);
}

std::vector<std::string> subcommands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!one->get_group().empty()) names.push_back(one->get_name());
  }
  return names;
}

// The command that the words name, and the first word that names none.
struct Place {
  const CLI::App* command;
  std::string name = "warifu";
  std::optional<std::string> unknown;
};

Place place_of(const CLI::App& app, int argc, const char* const* argv) {
  Place place{.command = &app};
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with('-')) break;
    const auto wanted = [&](const CLI::App* one) { return one->get_name() == word; };
    const auto found = place.command->get_subcommands(wanted);
    if (found.empty()) {
      place.unknown = word;
      break;
    }
    place.command = found.front();
    place.name += " " + word;
  }
  return place;
}

std::string what_command(const Place& place, const std::vector<std::string>& known) {
  const bool is_root = place.command->get_parent() == nullptr;
  if (!place.unknown) {
    return is_root ? std::string("a command is missing")
                   : fmt::format("'{}' needs one of: {}", place.name, fmt::join(known, ", "));
  }
  return fmt::format("there is no command '{} {}'{}", place.name, *place.unknown,
                     perhaps(*place.unknown, known));
}

// The first word that is no option of the command, of those that begin like one.
std::string what_option(const Place& place, int argc, const char* const* argv,
                        const std::string& otherwise) {
  std::vector<std::string> known;
  for (const CLI::Option* option : place.command->get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (int i = 1; i < argc; ++i) {
    const std::string word = std::string(argv[i]).substr(0, std::string_view(argv[i]).find('='));
    if (!word.starts_with("--") || word == "--") continue;
    if (std::ranges::find(known, word) != known.end()) continue;
    return fmt::format("{} is no option of '{}'{}", word, place.name, perhaps(word, known));
  }
  return otherwise;
}

// "Could not convert: --keys = many": every option that is converted is a number.
std::string what_number(const std::string& message) {
  const std::string_view mark = ": ";
  const std::size_t from = message.find(mark);
  const std::size_t equals = message.find(" = ");
  if (from == std::string::npos || equals == std::string::npos || equals < from) return message;
  const std::size_t begin = from + mark.size();
  return fmt::format("{}: '{}' is not a number it takes", message.substr(begin, equals - begin),
                     message.substr(equals + 3));
}

}  // namespace

int usage_error(const CLI::App& app, int argc, const char* const* argv,
                const CLI::ParseError& error) {
  const Place place = place_of(app, argc, argv);
  const auto known = subcommands_of(*place.command);
  std::string message = error.what();
  if (!known.empty()) {
    message = what_command(place, known);
  } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    message = what_option(place, argc, argv, message);
  } else if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ConversionError)) {
    message = what_number(message);
  }
  print_error({Code::kInvalidArgument, message});
  fmt::print(stderr, "see: {} --help\n", place.name);
  return exit_code(Code::kInvalidArgument);
}

}  // namespace warifu::apps
