// What commands print: errors, JSON, tables, progress with rate and expected end.
//
// Colours and progress lines only on a terminal. Standard output carries results, standard error
// everything else.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "base/result.h"

namespace warifu::apps {

// The documented exit code of an error (see `warifu --help`).
[[nodiscard]] int exit_code(Code code);
// The code of that name (code_name); `otherwise` when there is none.
[[nodiscard]] Code code_from_name(const std::string& name, Code otherwise);
// "warifu: error: ..." on standard error.
void print_error(const Error& error);
// One document and a newline on standard output.
void print_json(const boost::json::value& value);
// Rows under a heading, columns aligned.
void print_table(const std::vector<std::string>& heading,
                 const std::vector<std::vector<std::string>>& rows);

// A progress line on standard error, rewritten in place; silent when it is not a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  // `note` replaces rate and end, for example "waiting for key".
  void show(std::uint64_t done, std::uint64_t total, const std::string& note = "");

 private:
  std::string what_;
  bool terminal_;
  std::size_t width_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
  std::uint64_t first_done_ = 0;
  bool begun_ = false;
};

// Fields of a JSON object, with "" or 0 when absent.
[[nodiscard]] std::string text_of(const boost::json::value& object, const char* key);
[[nodiscard]] boost::json::array texts_json(const std::vector<std::string>& texts);
[[nodiscard]] std::uint64_t number_of(const boost::json::value& object, const char* key);

}  // namespace warifu::apps
