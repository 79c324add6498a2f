// Records of an audit log in the forms that other systems read: JSON lines, FHIR R4 AuditEvent,
// DICOM Audit Trail Messages (XML, DICOM PS3.15 A.5, which RFC 3881 was the beginning of).
//
// One exporter for one run; one thread.
#pragma once

#include <memory>
#include <string>

#include <boost/json/value.hpp>

#include "base/result.h"

namespace warifu::api {

class AuditExport {
 public:
  virtual ~AuditExport() = default;
  [[nodiscard]] virtual std::string head() const { return ""; }
  // One record as `GET /v1/log` gives it.
  [[nodiscard]] virtual std::string entry(const boost::json::value& record, bool first) = 0;
  [[nodiscard]] virtual std::string tail() const { return ""; }
};

// `format`: "jsonl", "fhir" (a Bundle of AuditEvent) or "dicom". Errors: kInvalidArgument.
[[nodiscard]] Result<std::unique_ptr<AuditExport>> make_audit_export(const std::string& format,
                                                                     const std::string& site);

}  // namespace warifu::api
