// Printing for people and for scripts.
#include "apps/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <boost/json.hpp>

#include "base/reason.h"
#include "base/units.h"

namespace warifu::apps {

int exit_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return 2;
    case Code::kNotFound: return 3;
    case Code::kRefused: return 4;
    case Code::kOutOfKey: return 5;
    case Code::kUnavailable:
    case Code::kTimeout: return 6;
    case Code::kCorrupt: return 7;
    case Code::kAlreadyExists:
    case Code::kBusy: return 8;
    case Code::kIo:
    case Code::kNoSpace: return 9;
    case Code::kUnknownOutcome: return 10;
    case Code::kCancelled: return 11;
    case Code::kProtocol: return 1;
  }
  return 1;
}

Code code_from_name(const std::string& name, Code otherwise) {
  for (std::uint8_t i = 1; i <= static_cast<std::uint8_t>(Code::kCancelled); ++i) {
    if (code_name(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  }
  return otherwise;
}

void print_error(const Error& error) {
  const bool colour = ::isatty(STDERR_FILENO) != 0;
  fmt::print(stderr, "warifu: {}error:{} {}\n", colour ? "\033[31m" : "", colour ? "\033[0m" : "",
             error_text(error, error.message.size()));
}

void print_json(const boost::json::value& value) {
  fmt::print("{}\n", boost::json::serialize(value));
}

void print_table(const std::vector<std::string>& heading,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width(heading.size());
  for (std::size_t i = 0; i < heading.size(); ++i) {
    width[i] = heading[i].size();
    for (const auto& row : rows) width[i] = std::max(width[i], row[i].size());
  }
  const auto print_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], width[i]) : row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);  // where the last cells are empty
    fmt::print("{}\n", line);
  };
  print_row(heading);
  for (const auto& row : rows) print_row(row);
}

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)),
      terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()) {}

ProgressLine::~ProgressLine() {
  if (terminal_ && width_ > 0) fmt::print(stderr, "\r{:{}}\r", "", width_);
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total, const std::string& note) {
  const auto now = std::chrono::steady_clock::now();
  if (!begun_) {
    begun_ = true;
    first_done_ = done;
    start_ = now;
  }
  if (!terminal_ || (now - last_ < std::chrono::milliseconds(100) && done < total)) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::string line = fmt::format("{}: {} of {}", what_, human_bytes(done), human_bytes(total));
  if (total > 0) line += fmt::format(" ({}%)", done * 100 / total);
  if (!note.empty()) {
    line += ", " + note;
  } else if (seconds > 0.5 && done > first_done_) {
    const double rate = static_cast<double>(done - first_done_) / seconds;
    line += fmt::format(", {}/s, {} left", human_bytes(static_cast<std::uint64_t>(rate)),
                        human_seconds(static_cast<double>(total - std::min(done, total)) / rate));
  }
  fmt::print(stderr, "\r{:<{}}", line, width_);
  std::fflush(stderr);
  width_ = std::max(width_, line.size());
}

std::string text_of(const boost::json::value& object, const char* key) {
  const auto* fields = object.if_object();
  const auto* value = fields == nullptr ? nullptr : fields->if_contains(key);
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string());
}

boost::json::array texts_json(const std::vector<std::string>& texts) {
  boost::json::array list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

std::uint64_t number_of(const boost::json::value& object, const char* key) {
  const auto* fields = object.if_object();
  const auto* value = fields == nullptr ? nullptr : fields->if_contains(key);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64()) return static_cast<std::uint64_t>(value->get_int64());
  if (value->is_double()) return static_cast<std::uint64_t>(value->get_double());
  return 0;
}

}  // namespace warifu::apps
