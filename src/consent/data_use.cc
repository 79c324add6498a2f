// The table of codes and statements, their texts and their codec. The rule is in use_rule.cc.
#include "consent/data_use.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "consent/grantee.h"

namespace warifu::consent {
namespace {

using enum DataUseCode;
using enum StatementKind;

enum class Value : std::uint8_t { kNone, kText, kDate };

struct CodeRow {
  DataUseCode code;
  std::string_view name;
  Value value;
  bool is_permission;
  std::string_view english, japanese;
};
constexpr std::array<CodeRow, 23> kCodes = {{
    {kNoRestriction, "NRES", Value::kNone, true, "research without further restriction",
     "研究目的であれば制限なし"},
    {kHealthMedicalBiomedical, "HMB", Value::kNone, true,
     "health, medical or biomedical research, not the study of origins or ancestry",
     "健康・医学・生物医学の研究(集団の起源や祖先の研究を除く)"},
    {kDiseaseSpecific, "DS", Value::kText, true, "research into this disease only",
     "次の疾患の研究のみ"},
    {kPopulationOriginsAncestry, "POA", Value::kNone, true,
     "research into population origins or ancestry only", "集団の起源や祖先の研究のみ"},
    {kResearchSpecific, "RS", Value::kText, false, "only with this restriction",
     "次の条件を守る場合のみ"},
    {kNoGeneralMethods, "NMDS", Value::kNone, false, "not for developing methods",
     "手法開発のための利用は不可"},
    {kGeneticStudiesOnly, "GSO", Value::kNone, false, "genetic studies only", "遺伝学的研究のみ"},
    {kNonProfitNonCommercialOnly, "NPUNCU", Value::kNone, false,
     "by not-for-profit organisations and for non-commercial use only",
     "非営利組織による非営利目的の利用のみ"},
    {kPublicationRequired, "PUB", Value::kNone, false, "results must be published",
     "研究結果の公表が必要"},
    {kCollaborationRequired, "COL", Value::kText, false, "only in collaboration with",
     "次の者との共同研究のみ"},
    {kEthicsApprovalRequired, "IRB", Value::kNone, false, "an ethics committee must have approved",
     "倫理審査委員会の承認が必要"},
    {kGeographicalRestriction, "GS", Value::kText, false, "only in this country or region",
     "次の国・地域での利用のみ"},
    {kPublicationMoratorium, "MOR", Value::kDate, false, "results must not be published before",
     "次の日より前の公表は不可"},
    {kTimeLimit, "TS", Value::kDate, false, "not after this day (UTC)", "次の日(協定世界時)まで"},
    {kUserSpecific, "US", Value::kText, false, "by this user only", "次の利用者のみ"},
    {kProjectSpecific, "PS", Value::kText, false, "for this project only", "次の研究課題のみ"},
    {kInstitutionSpecific, "IS", Value::kText, false, "at this institution only", "次の機関のみ"},
    {kReturnToDatabase, "RTN", Value::kNone, false, "derived data must be returned",
     "得られたデータの返却が必要"},
    {kGeneralResearch, "GRU", Value::kNone, true, "research of any kind", "研究全般"},
    {kClinicalCare, "CC", Value::kNone, false, "clinical care", "臨床での診療"},
    {kNoPopulationOriginsAncestry, "NPOA", Value::kNone, false,
     "not for the study of population origins or ancestry", "集団の起源や祖先の研究は不可"},
    {kNonProfitOrganisationOnly, "NPU", Value::kNone, false, "by not-for-profit organisations only",
     "非営利組織による利用のみ"},
    {kNonCommercialOnly, "NCU", Value::kNone, false, "non-commercial use only",
     "非営利目的の利用のみ"},
}};

struct StatementRow {
  StatementKind kind;
  std::string_view name;
  Value value;
};
constexpr std::array<StatementRow, kStatementKinds> kStatements = {{
    {kGeneral, "general", Value::kNone},
    {kBiomedical, "biomedical", Value::kNone},
    {kDisease, "disease", Value::kText},
    {kAncestry, "ancestry", Value::kNone},
    {kMethods, "methods", Value::kNone},
    {kClinical, "clinical-care", Value::kNone},
    {kGeneticStudy, "genetic", Value::kNone},
    {kNonProfit, "non-profit", Value::kNone},
    {kNonCommercial, "non-commercial", Value::kNone},
    {kEthicsApproval, "ethics-approval", Value::kNone},
    {kPublication, "publication", Value::kNone},
    {kCollaboration, "collaboration", Value::kText},
    {kReturnResults, "return-results", Value::kNone},
    {kCountry, "country", Value::kText},
    {kMoratorium, "moratorium", Value::kDate},
    {kUser, "user", Value::kText},
    {kProject, "project", Value::kText},
    {kInstitution, "institution", Value::kText},
    {kRestriction, "restriction", Value::kText},
}};

const CodeRow* row_of(DataUseCode code) {
  const auto found = std::ranges::find(kCodes, code, &CodeRow::code);
  return found == kCodes.end() ? nullptr : &*found;
}
const StatementRow* row_of(StatementKind kind) {
  const auto found = std::ranges::find(kStatements, kind, &StatementRow::kind);
  return found == kStatements.end() ? nullptr : &*found;
}

bool is_date(std::string_view text) {
  constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (const std::size_t at : {0U, 1U, 2U, 3U, 5U, 6U, 8U, 9U}) {
    if (text[at] < '0' || text[at] > '9') return false;
  }
  const int month = (text[5] - '0') * 10 + text[6] - '0';
  const int day = (text[8] - '0') * 10 + text[9] - '0';
  return month >= 1 && month <= 12 && day >= 1 &&
         day <= kDays.at(static_cast<std::size_t>(month - 1));
}

std::string flaw_of_value(std::string_view name, Value rule, const std::string& value) {
  const std::string who = "'" + std::string(name) + "'";
  switch (rule) {
    case Value::kNone: return value.empty() ? "" : who + " takes no value";
    case Value::kText:
      return is_showable(value, kUseValueBytes)
                 ? ""
                 : who + " needs a value of 1 to 64 bytes of visible text";
    case Value::kDate: return is_date(value) ? "" : who + " needs a date like 2027-03-31";
  }
  return {};
}

// NAME[=VALUE].
std::pair<std::string_view, std::string> parts_of(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {text, {}};
  return {text.substr(0, equals), std::string(text.substr(equals + 1))};
}

template <typename Sorted>
void sort_distinct(Sorted& values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

template <typename Sorted>
bool is_sorted_distinct(const Sorted& values) {
  return std::ranges::adjacent_find(values, std::ranges::greater_equal()) == values.end();
}

std::string with_value(std::string_view name, const std::string& value) {
  return std::string(name) + (value.empty() ? "" : "=" + value);
}

}  // namespace

std::string duo_id(DataUseCode code) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "DUO:%07u", static_cast<unsigned>(code));
  return text.data();
}

Result<DataUses> parse_data_uses(std::span<const std::string> texts, Purpose purpose) {
  DataUses uses;
  for (const std::string& text : texts) {
    auto [name, value] = parts_of(text);
    const auto row = std::ranges::find_if(
        kCodes, [&](const CodeRow& one) { return one.name == name || duo_id(one.code) == name; });
    if (row == kCodes.end()) {
      return fail(Code::kInvalidArgument, "data use '" + text.substr(0, 60) +
                                              "' is no code of the Data Use Ontology that "
                                              "is known here (like HMB, NPU or DS=MONDO:0005148)");
    }
    uses.push_back({row->code, std::move(value)});
  }
  sort_distinct(uses);
  if (const std::string flaw = flaw_of(uses, purpose); !flaw.empty()) {
    return fail(Code::kInvalidArgument, flaw);
  }
  return uses;
}

std::string data_use_text(const DataUse& use) {
  const CodeRow* row = row_of(use.code);
  return row == nullptr ? std::string() : with_value(row->name, use.value);
}

std::string data_uses_text(const DataUses& uses) {
  std::string text;
  for (const DataUse& use : uses) text += (text.empty() ? "" : ", ") + data_use_text(use);
  return text;
}

std::string data_use_words(const DataUse& use, Locale locale) {
  const CodeRow* row = row_of(use.code);
  if (row == nullptr) return {};
  std::string words(locale == Locale::kEnglish ? row->english : row->japanese);
  if (!use.value.empty()) words += ": " + use.value;
  return words + (locale == Locale::kEnglish ? " (" : "(") + std::string(row->name) +
         (locale == Locale::kEnglish ? ")" : ")");
}

Result<Statements> parse_statements(std::span<const std::string> texts) {
  Statements stated;
  for (const std::string& text : texts) {
    auto [name, value] = parts_of(text);
    const auto row = std::ranges::find(kStatements, name, &StatementRow::name);
    if (row == kStatements.end()) {
      std::string known;
      for (const StatementRow& one : kStatements) {
        known += (known.empty() ? "" : ", ") + std::string(one.name);
      }
      return fail(Code::kInvalidArgument,
                  "use '" + text.substr(0, 60) + "' must be one of " + known);
    }
    stated.push_back({row->kind, std::move(value)});
  }
  sort_distinct(stated);
  if (const std::string flaw = flaw_of(stated); !flaw.empty()) {
    return fail(Code::kInvalidArgument, flaw);
  }
  return stated;
}

std::string statements_text(const Statements& stated) {
  std::string text;
  for (const Statement& one : stated) {
    const StatementRow* row = row_of(one.kind);
    if (row != nullptr) text += (text.empty() ? "" : ", ") + with_value(row->name, one.value);
  }
  return text;
}

std::string flaw_of(const DataUses& uses, Purpose purpose) {
  if (uses.size() > kMaxDataUses) return "more than 8 data use codes";
  if (!is_sorted_distinct(uses)) return "data use codes must be sorted and distinct";
  std::size_t permissions = 0;
  DataUseCode permission{};
  for (const DataUse& use : uses) {
    const CodeRow* row = row_of(use.code);
    if (row == nullptr) return "a data use code is unknown";
    if (std::string flaw = flaw_of_value(row->name, row->value, use.value); !flaw.empty()) {
      return flaw;
    }
    if (use.code == kClinicalCare && purpose != Purpose::kMedicine) {
      return "data use CC goes with purpose medicine only";
    }
    if (!row->is_permission) continue;
    if (purpose != Purpose::kResearch) {
      return "data use " + std::string(row->name) + " goes with purpose research only";
    }
    // Several diseases may be named, one DS each.
    if (permissions == 0 || permission != use.code) ++permissions;
    permission = use.code;
  }
  if (permissions > 1) return "only one of NRES, GRU, HMB, DS and POA can be given";
  return {};
}

std::string flaw_of(const Statements& stated) {
  if (stated.size() > kMaxStatements) return "more than 16 statements about the use";
  if (!is_sorted_distinct(stated)) return "statements about the use must be sorted and distinct";
  for (const Statement& one : stated) {
    const StatementRow* row = row_of(one.kind);
    if (row == nullptr) return "a statement about the use is unknown";
    if (std::string flaw = flaw_of_value(row->name, row->value, one.value); !flaw.empty()) {
      return flaw;
    }
  }
  return {};
}

void write_data_uses(wire::Writer& writer, const DataUses& uses) {
  writer.u8(static_cast<std::uint8_t>(uses.size()));
  for (const DataUse& use : uses) {
    writer.u16(static_cast<std::uint16_t>(use.code));
    write_short(writer, use.value);
  }
}

DataUses read_data_uses(wire::Reader& reader) {
  DataUses uses;
  const std::size_t count = reader.u8();
  if (count > kMaxDataUses) reader.reject("more than 8 data use codes");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    DataUse use;
    use.code = static_cast<DataUseCode>(reader.u16());
    use.value = read_short(reader, kUseValueBytes);
    uses.push_back(std::move(use));
  }
  return uses;
}

void write_statements(wire::Writer& writer, const Statements& stated) {
  writer.u8(static_cast<std::uint8_t>(stated.size()));
  for (const Statement& one : stated) {
    writer.u8(static_cast<std::uint8_t>(one.kind));
    write_short(writer, one.value);
  }
}

Statements read_statements(wire::Reader& reader) {
  Statements stated;
  const std::size_t count = reader.u8();
  if (count > kMaxStatements) reader.reject("more than 16 statements about the use");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    Statement one;
    one.kind = static_cast<StatementKind>(reader.u8());
    one.value = read_short(reader, kUseValueBytes);
    stated.push_back(std::move(one));
  }
  if (!reader.good()) return {};
  if (const std::string flaw = flaw_of(stated); !flaw.empty()) reader.reject(flaw);
  return stated;
}

}  // namespace warifu::consent
