// The optional fields of a record, walked within their bounds: htslib 1.16 has no public walk.
#pragma once

#include <cstring>
#include <vector>

#include "genome_helper/file.h"

namespace warifu::genome_helper {

// Two bytes of tag, one of type, the value: as BAM holds it (SAMv1 section 4.2.4).
struct AuxField {
  std::uint8_t* start = nullptr;
  std::size_t bytes = 0;
  [[nodiscard]] std::string tag() const { return {reinterpret_cast<const char*>(start), 2}; }
  [[nodiscard]] const std::uint8_t* value() const { return start + 2; }  // as bam_aux2i() wants it
};

[[nodiscard]] inline std::size_t aux_bytes(const bam1_t* record) {
  return static_cast<std::size_t>(record->data + record->l_data - bam_get_aux(record));
}

// Errors: kCorrupt for a field that reaches beyond its record.
[[nodiscard]] inline Result<std::vector<AuxField>> aux_fields(const bam1_t* record) {
  const auto width = [](std::uint8_t type) -> std::size_t {
    switch (type) {
      case 'A':
      case 'c':
      case 'C': return 1;
      case 's':
      case 'S': return 2;
      case 'i':
      case 'I':
      case 'f': return 4;
      case 'd': return 8;
      default: return 0;
    }
  };
  std::vector<AuxField> fields;
  std::uint8_t* at = bam_get_aux(record);
  std::size_t left = aux_bytes(record);
  while (left > 0) {
    std::size_t bytes = 0;
    const std::uint8_t type = left > 3 ? at[2] : 0;
    if (type == 'Z' || type == 'H') {
      const void* end = std::memchr(at + 3, 0, left - 3);
      if (end != nullptr) {
        bytes = static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - at) + 1;
      }
    } else if (type == 'B' && left >= 8) {
      std::uint32_t number = 0;
      std::memcpy(&number, at + 4, sizeof number);
      if (width(at[3]) != 0) bytes = 8 + width(at[3]) * static_cast<std::size_t>(number);
    } else if (width(type) != 0) {
      bytes = 3 + width(type);
    }
    if (bytes == 0 || bytes > left)
      return fail(Code::kCorrupt, "a record's optional field is damaged");
    fields.push_back({at, bytes});
    at += bytes;
    left -= bytes;
  }
  return fields;
}

// Leaves only the fields that `keep` says; their order stays.
template <typename Keep>
[[nodiscard]] Result<> filter_aux(bam1_t* record, const Keep& keep) {
  TRY_ASSIGN(const std::vector<AuxField> fields, aux_fields(record));
  std::uint8_t* to = bam_get_aux(record);
  for (const AuxField& field : fields) {
    if (!keep(field.tag())) continue;
    std::memmove(to, field.start, field.bytes);
    to += field.bytes;
  }
  record->l_data = static_cast<int>(to - record->data);
  return {};
}

}  // namespace warifu::genome_helper
