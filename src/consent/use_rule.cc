// Which uses a consent's codes allow: definitions of the Data Use Ontology, and where they leave
// room (methods under a narrow permission) the narrower reading.
#include <algorithm>

#include "consent/data_use.h"

namespace warifu::consent {
namespace {

using enum DataUseCode;
using enum StatementKind;

bool says(const Statements& stated, StatementKind kind) {
  return std::ranges::find(stated, kind, &Statement::kind) != stated.end();
}
bool says(const Statements& stated, StatementKind kind, const std::string& value) {
  return std::ranges::find(stated, Statement{kind, value}) != stated.end();
}
bool has(const DataUses& uses, DataUseCode code) {
  return std::ranges::find(uses, code, &DataUse::code) != uses.end();
}

bool is_research(StatementKind kind) {
  return kind == kGeneral || kind == kBiomedical || kind == kDisease || kind == kAncestry ||
         kind == kMethods;
}

// The permission covers this kind of research by itself.
bool covers(const DataUses& uses, const Statement& one) {
  if (has(uses, kNoRestriction)) return true;
  if (has(uses, kGeneralResearch)) return true;
  if (has(uses, kHealthMedicalBiomedical)) return one.kind == kBiomedical || one.kind == kDisease;
  if (has(uses, kPopulationOriginsAncestry)) return one.kind == kAncestry;
  return one.kind == kDisease &&
         std::ranges::find(uses, DataUse{kDiseaseSpecific, one.value}) != uses.end();
}

bool has_permission(const DataUses& uses) {
  return has(uses, kNoRestriction) || has(uses, kGeneralResearch) ||
         has(uses, kHealthMedicalBiomedical) || has(uses, kDiseaseSpecific) ||
         has(uses, kPopulationOriginsAncestry);
}

std::string check_permission(const DataUses& uses, const Statements& stated) {
  if (has(uses, kClinicalCare) && !says(stated, kClinical)) {
    return "the consent is for clinical care, which the request does not state (clinical-care)";
  }
  if (!has_permission(uses)) return {};
  bool is_covered = false;
  for (const Statement& one : stated) {
    if (one.kind == kClinical) {
      return "the consent is for research, and clinical care is none";
    }
    if (!is_research(one.kind)) continue;
    if (covers(uses, one)) {
      is_covered = true;
    } else if (one.kind != kMethods) {
      // Methods may be developed beside a use that is covered.
      return "the consent (" + data_uses_text(uses) + ") does not cover the stated use '" +
             statements_text({one}) + "'";
    }
  }
  if (!is_covered) {
    return "the request states no kind of research that the consent (" + data_uses_text(uses) +
           ") covers";
  }
  return {};
}

// Today in UTC as "2026-11-27"; such dates compare as texts.
std::string day_of(os::UnixMs now) {
  return os::utc_text(now).substr(0, 10);
}

bool is_met(const DataUse& use, const Statements& stated, os::UnixMs now) {
  switch (use.code) {
    case kResearchSpecific: return says(stated, kRestriction, use.value);
    case kNoGeneralMethods: return !says(stated, kMethods);
    case kGeneticStudiesOnly: return says(stated, kGeneticStudy);
    case kNonProfitNonCommercialOnly:
      return says(stated, kNonProfit) && says(stated, kNonCommercial);
    case kPublicationRequired: return says(stated, kPublication);
    case kCollaborationRequired: return says(stated, kCollaboration, use.value);
    case kEthicsApprovalRequired: return says(stated, kEthicsApproval);
    case kGeographicalRestriction:
      return std::ranges::all_of(stated,
                                 [&](const Statement& one) {
                                   return one.kind != kCountry || one.value == use.value;
                                 }) &&
             says(stated, kCountry, use.value);
    case kPublicationMoratorium: return says(stated, kMoratorium, use.value);
    case kTimeLimit: return day_of(now) <= use.value;
    case kUserSpecific: return says(stated, kUser, use.value);
    case kProjectSpecific: return says(stated, kProject, use.value);
    case kInstitutionSpecific: return says(stated, kInstitution, use.value);
    case kReturnToDatabase: return says(stated, kReturnResults);
    case kNoPopulationOriginsAncestry: return !says(stated, kAncestry);
    case kNonProfitOrganisationOnly: return says(stated, kNonProfit);
    case kNonCommercialOnly: return says(stated, kNonCommercial);
    case kNoRestriction:
    case kHealthMedicalBiomedical:
    case kDiseaseSpecific:
    case kPopulationOriginsAncestry:
    case kGeneralResearch:
    case kClinicalCare: return true;  // check_permission()
  }
  return false;
}

}  // namespace

std::string why_not_allowed(const DataUses& uses, const Statements& stated, os::UnixMs now) {
  if (std::string why = check_permission(uses, stated); !why.empty()) return why;
  for (const DataUse& use : uses) {
    if (is_met(use, stated, now)) continue;
    return "the consent says: " + data_use_words(use, Locale::kEnglish) +
           "; the stated use is: " + (stated.empty() ? "nothing" : statements_text(stated));
  }
  return {};
}

}  // namespace warifu::consent
