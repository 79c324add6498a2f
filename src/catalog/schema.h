// The tables of the catalog and their versions. docs/formats/catalog.md explains them.
//
// The file says what it is: application_id "WRFC", user_version = the number of the last migration.
// A migration, once shipped, is never changed; a later version adds one.
#pragma once

#include "catalog/sqlite.h"

namespace warifu::catalog {

inline constexpr std::uint64_t kApplicationId = 0x57524643;  // "WRFC"
inline constexpr std::uint64_t kSchemaVersion = 16;
// Version 1 knew cuts into three shares only; nothing outside development ever wrote it.
inline constexpr std::uint64_t kOldestVersion = 2;

// Makes a new, empty file a catalog; write-ahead log from then on.
[[nodiscard]] Result<> create_schema(Database& database);

// Refuses what is no catalog or of a newer version, brings an older one up to date, checks the
// pages. Errors: kCorrupt, kInvalidArgument (newer, or version 1), kIo, kBusy.
[[nodiscard]] Result<> prepare_schema(Database& database);

}  // namespace warifu::catalog
