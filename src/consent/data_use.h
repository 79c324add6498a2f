// Data use: what a consent allows beyond its purpose, in the terms of the GA4GH Data Use Ontology
// (DUO, EBISPOT/DUO release 2021-02-23), and what a request says it will do.
//
//   uses   := count:u8 use{count}          use  := code:u16 value:short      code: the DUO number
//   stated := count:u8 said{count}         said := kind:u8 value:short       sorted, distinct
//
// A consent may carry one permission (what research at all) and modifiers (what else must hold). A
// request states its use; why_not_allowed() is the whole rule, and what is not clearly allowed is
// not. Diseases are compared as terms: a narrower term than the consent's is not recognised,
// because no ontology is asked. What a request states is the asker's word; the gate logs it.
// Values only; any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "consent/values.h"
#include "os/system.h"
#include "wire/wire.h"

namespace warifu::consent {

inline constexpr std::size_t kMaxDataUses = 8;
inline constexpr std::size_t kMaxStatements = 16;
inline constexpr std::size_t kUseValueBytes = 64;

// Numbers of DUO terms (DUO:00000nn).
enum class DataUseCode : std::uint16_t {
  kNoRestriction = 4,                 // NRES
  kHealthMedicalBiomedical = 6,       // HMB
  kDiseaseSpecific = 7,               // DS, value: the disease's term
  kPopulationOriginsAncestry = 11,    // POA
  kResearchSpecific = 12,             // RS, value: the restriction
  kNoGeneralMethods = 15,             // NMDS
  kGeneticStudiesOnly = 16,           // GSO
  kNonProfitNonCommercialOnly = 18,   // NPUNCU
  kPublicationRequired = 19,          // PUB
  kCollaborationRequired = 20,        // COL, value: with whom
  kEthicsApprovalRequired = 21,       // IRB
  kGeographicalRestriction = 22,      // GS, value: the country or region
  kPublicationMoratorium = 24,        // MOR, value: date
  kTimeLimit = 25,                    // TS, value: date, the last day
  kUserSpecific = 26,                 // US, value: the user
  kProjectSpecific = 27,              // PS, value: the project
  kInstitutionSpecific = 28,          // IS, value: the institution
  kReturnToDatabase = 29,             // RTN
  kGeneralResearch = 42,              // GRU
  kClinicalCare = 43,                 // CC
  kNoPopulationOriginsAncestry = 44,  // NPOA
  kNonProfitOrganisationOnly = 45,    // NPU
  kNonCommercialOnly = 46,            // NCU
};

struct DataUse {
  DataUseCode code = DataUseCode::kNoRestriction;
  std::string value;  // for the codes that need one
  auto operator<=>(const DataUse&) const = default;
};
using DataUses = std::vector<DataUse>;  // canonical: ascending, distinct, at most one permission

// What an asker says of the use: its kind, or a condition that it meets.
enum class StatementKind : std::uint8_t {
  kGeneral = 1,
  kBiomedical = 2,  // health, medical or biomedical research
  kDisease = 3,     // of this disease; value: its term
  kAncestry = 4,    // population origins or ancestry
  kMethods = 5,     // development of methods
  kClinical = 6,
  kGeneticStudy = 7,
  kNonProfit = 8,
  kNonCommercial = 9,
  kEthicsApproval = 10,
  kPublication = 11,
  kCollaboration = 12,  // value: with whom
  kReturnResults = 13,
  kCountry = 14,      // value
  kMoratorium = 15,   // nothing is published before; value: date
  kUser = 16,         // value
  kProject = 17,      // value
  kInstitution = 18,  // value
  kRestriction = 19,  // keeps to it; value: as the consent says
};
inline constexpr std::size_t kStatementKinds = 19;

struct Statement {
  StatementKind kind = StatementKind::kGeneral;
  std::string value;
  auto operator<=>(const Statement&) const = default;
};
using Statements = std::vector<Statement>;  // canonical: ascending, distinct

// "HMB", "DS=MONDO:0005148", "DUO:0000006"; sorted. Errors: kInvalidArgument naming what is wrong.
[[nodiscard]] Result<DataUses> parse_data_uses(std::span<const std::string> texts, Purpose purpose);
// "DS=MONDO:0005148".
[[nodiscard]] std::string data_use_text(const DataUse& use);
// "DUO:0000007".
[[nodiscard]] std::string duo_id(DataUseCode code);
// "NPU", and all of them joined by ", ".
[[nodiscard]] std::string data_uses_text(const DataUses& uses);
// What the code means to the person: "research into this disease only: MONDO:0005148".
[[nodiscard]] std::string data_use_words(const DataUse& use, Locale locale);

// "biomedical", "disease=MONDO:0005148", "non-profit"; sorted. Errors: kInvalidArgument.
[[nodiscard]] Result<Statements> parse_statements(std::span<const std::string> texts);
[[nodiscard]] std::string statements_text(const Statements& stated);

// Empty when a use as `stated` is allowed under `uses` at `now`, else why it is not.
[[nodiscard]] std::string why_not_allowed(const DataUses& uses, const Statements& stated,
                                          os::UnixMs now);

// Empty when canonical, else what is wrong. A permission goes with research only, clinical care
// with medicine only.
[[nodiscard]] std::string flaw_of(const DataUses& uses, Purpose purpose);
[[nodiscard]] std::string flaw_of(const Statements& stated);

void write_data_uses(wire::Writer& writer, const DataUses& uses);
[[nodiscard]] DataUses read_data_uses(wire::Reader& reader);  // canonical or not: flaw_of() tells
void write_statements(wire::Writer& writer, const Statements& stated);
[[nodiscard]] Statements read_statements(wire::Reader& reader);

}  // namespace warifu::consent
