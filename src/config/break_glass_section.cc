// [break_glass]: whose cards open objects in an emergency (consent/break_glass.h).
#include "config/sections.h"

namespace warifu::config {

Result<> read_break_glass(const toml::table& table, SiteConfig& config) {
  const std::string& file = config.path;
  ConfigTable reader(table, "break_glass", file);
  consent::BreakGlass rule;
  TRY_ASSIGN(const auto cards, reader.texts("officers"));
  for (const std::string& text : cards) {
    const auto card = CardId::parse(text);
    if (!card) return bad_config(file, table.get("officers"), card.error().message);
    if (rule.names(*card)) {
      return bad_config(file, table.get("officers"),
                        "'break_glass.officers' names card " + text + " twice");
    }
    rule.officers.push_back(*card);
  }
  std::int64_t needed = 2;
  TRY(reader.number_or("needed", 2, consent::kMaxGuardians, needed));
  rule.needed = static_cast<std::uint8_t>(needed);
  TRY(reader.finish());
  if (rule.officers.size() < rule.needed || rule.officers.size() > consent::kMaxOfficers) {
    return bad_config(file, &table,
                      "[break_glass]: name at least as many 'officers' as are 'needed', and at "
                      "most " +
                          std::to_string(consent::kMaxOfficers));
  }
  config.break_glass = std::move(rule);
  return {};
}

}  // namespace warifu::config
