// Commands about objects, where their shares are, and the jobs that work on them.
//
// Options as values, one function per command: command_options.h.
#pragma once

#include <cstdint>
#include <string>

#include "apps/command_options.h"

namespace warifu::apps {

struct StoreOptions {
  std::string file, person, label, policy, priority;
  std::string index, assembly;  // of a genome; empty: beside the file, by the references' lengths
  bool genome = false;          // it must be one
  bool plain = false;           // it is stored as it is, whatever it is
  std::uint32_t reslice = 0;    // reads in a slice of CRAM; 0: as it is
  std::string reference;        // FASTA, for reslicing CRAM that is written against one
  CardOptions card;
  bool no_wait = false;
};
[[nodiscard]] Result<> object_store(const Common& common, const StoreOptions& options);
struct ObjectOptions {
  std::string object, person;
  std::uint64_t skip = 0, limit = 100;  // of a list
  CardOptions card;
};
[[nodiscard]] Result<> object_list(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> object_show(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> object_card_record(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> explain(const Common& common, const ObjectOptions& options);

struct RelocateOptions {
  std::string object, share, to;
  bool plan = false, no_wait = false;
};
struct RefreshOptions {
  std::string object, person, key_after;
  std::uint64_t dealers = 0;
  bool all = false, plan = false, no_wait = false, status = false;
};
struct DeleteOptions {
  std::string object;
  bool yes = false, no_wait = false;
};
struct SiteUpkeepOptions {
  std::string of;
  bool no_wait = false;
};
struct AuditOptions {
  std::string object, person;
  bool all = false;
};
struct ScrubOptions {
  bool now = false, status = false;
};
[[nodiscard]] Result<> object_audit(const Common& common, const AuditOptions& options);
[[nodiscard]] Result<> site_scrub(const Common& common, const ScrubOptions& options);
[[nodiscard]] Result<> object_check(const Common& common, const ObjectOptions& options);
[[nodiscard]] Result<> object_repair(const Common& common, const RelocateOptions& options);
[[nodiscard]] Result<> object_move(const Common& common, const RelocateOptions& options);
[[nodiscard]] Result<> object_refresh(const Common& common, const RefreshOptions& options);
[[nodiscard]] Result<> object_reshare(const Common& common, const RelocateOptions& options);
[[nodiscard]] Result<> object_delete(const Common& common, const DeleteOptions& options);
[[nodiscard]] Result<> site_repair(const Common& common, const SiteUpkeepOptions& options);
[[nodiscard]] Result<> site_drain(const Common& common, const SiteUpkeepOptions& options);

struct PlanOptions {
  std::string object, size, policy;
  bool why = false;
};
[[nodiscard]] Result<> plan(const Common& common, const PlanOptions& options);

struct JobOptions {
  std::string job, state, priority;
  std::uint64_t skip = 0, limit = 100;
};
[[nodiscard]] Result<> job_list(const Common& common, const JobOptions& options);
[[nodiscard]] Result<> job_show(const Common& common, const JobOptions& options);
// `order`: pause, resume, cancel.
[[nodiscard]] Result<> job_order(const Common& common, const JobOptions& options,
                                 const char* order);
[[nodiscard]] Result<> job_priority(const Common& common, const JobOptions& options);
[[nodiscard]] Result<> job_watch(const Common& common, const JobOptions& options);

}  // namespace warifu::apps
