// Jobs and the key that they spent.
#include "catalog/sqlite_catalog.h"

namespace warifu::catalog {
namespace {

constexpr std::string_view kJobColumns =
    "SELECT job_id, kind, state, step, object_id, person_id, plan, progress_bytes, total_bytes, "
    "error, created, updated, expected_end, sealed_secret, result, priority FROM job ";

Job read_job(Statement& row) {
  Job job;
  job.job = row.read_id<JobId>();
  job.kind = row.read_state<JobKind>();
  job.state = row.read_state<JobState>();
  job.step = row.read_text();
  job.object = row.maybe_id<ObjectId>();
  job.person_id = row.maybe_text();
  job.plan = row.read_text();
  job.progress_bytes = row.read_number();
  job.total_bytes = row.read_number();
  job.error = row.read_text();
  job.created = row.read_time();
  job.updated = row.read_time();
  job.expected_end = row.maybe_time();
  job.sealed_secret = row.read_blob();
  job.result = row.read_text();
  job.priority = row.read_state<JobPriority>();
  return job;
}

LinkUse read_link_use(Statement& row) {
  LinkUse use;
  use.from = row.read_site();
  use.to = row.read_site();
  use.link_class = row.read_text();
  use.origin = row.read_text();
  use.payload_bytes = row.read_number();
  use.tag_bytes = row.read_number();
  use.key_bytes = row.read_number();
  return use;
}

}  // namespace

Result<Job> SqliteCatalog::job_locked(const JobId& job) {
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kJobColumns) + "WHERE job_id = ?"));
  statement.id(job);
  TRY_ASSIGN(auto found, read_row_if_any<Job>(statement, read_job));
  if (!found) return fail(Code::kNotFound, "job " + job.text() + " is not known");
  return std::move(*found);
}

Result<> SqliteCatalog::add_job_locked(const Job& job) {
  TRY(check_json_locked("the plan of a job", job.plan));
  TRY(check_json_locked("the result of a job", job.result));
  if (job.object) TRY(object_locked(*job.object));
  if (job.person_id) TRY(person_locked(*job.person_id));
  const auto known = job_locked(job.job);
  if (known) return fail(Code::kAlreadyExists, "job " + job.job.text() + " is already known");
  if (known.error().code != Code::kNotFound) return std::unexpected(known.error());
  TRY_ASSIGN(Statement statement,
             database_->prepare("INSERT INTO job (job_id, kind, state, step, object_id, person_id, "
                                "plan, progress_bytes, total_bytes, error, created, updated, "
                                "expected_end, sealed_secret, result, priority) "
                                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  return statement.id(job.job)
      .text(kind_name(job.kind))
      .text(state_name(job.state))
      .text(job.step)
      .maybe(job.object)
      .maybe(job.person_id)
      .text(job.plan)
      .number(job.progress_bytes)
      .number(job.total_bytes)
      .text(job.error)
      .time(job.created)
      .time(job.updated)
      .maybe(job.expected_end)
      .blob(job.sealed_secret)
      .text(job.result)
      .text(priority_name(job.priority))
      .run();
}

Result<> SqliteCatalog::start_job(const NewJob& job) {
  TRY(check_record(job.job));
  if (job.object) TRY(check_record(*job.object));
  for (const Share& share : job.shares) TRY(check_record(share));
  return change([&]() -> Result<> {
    if (job.object) TRY(add_object_locked(*job.object));
    for (const Share& share : job.shares) TRY(add_share_locked(share));
    return add_job_locked(job.job);
  });
}

Result<Job> SqliteCatalog::job(const JobId& job) {
  const std::lock_guard lock(mutex_);
  return job_locked(job);
}

Result<std::vector<Job>> SqliteCatalog::list_jobs(const JobFilter& filter, const Page& page) {
  TRY(check_record(page));
  std::string sql(kJobColumns);
  sql += "WHERE true ";
  if (filter.kind) sql += "AND kind = ? ";
  if (filter.state) sql += "AND state = ? ";
  if (filter.object) sql += "AND object_id = ? ";
  if (filter.person_id) sql += "AND person_id = ? ";
  sql += "ORDER BY created DESC, job_id LIMIT ? OFFSET ?";
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement, database_->prepare(sql));
  if (filter.kind) statement.text(kind_name(*filter.kind));
  if (filter.state) statement.text(state_name(*filter.state));
  if (filter.object) statement.id(*filter.object);
  if (filter.person_id) statement.text(*filter.person_id);
  statement.number(page.count).number(page.skip);
  return read_rows<Job>(statement, read_job);
}

Result<std::vector<Job>> SqliteCatalog::unfinished_jobs() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kJobColumns) +
                                "WHERE state IN ('waiting_key', 'running', 'paused') "
                                "ORDER BY created, job_id"));
  return read_rows<Job>(statement, read_job);
}

Result<std::vector<Job>> SqliteCatalog::unfinished_jobs_of(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  // The plus keeps SQLite to the index of objects: of all unfinished jobs there may be thousands.
  TRY_ASSIGN(Statement statement,
             database_->prepare(std::string(kJobColumns) +
                                "WHERE object_id = ? AND "
                                "+state IN ('waiting_key', 'running', 'paused') "
                                "ORDER BY created, job_id"));
  statement.id(object);
  return read_rows<Job>(statement, read_job);
}

Result<> SqliteCatalog::update_job(const JobId& job, const JobProgress& progress) {
  TRY(check_record(progress));
  return change([&]() -> Result<> {
    TRY(check_json_locked("the result of a job", progress.result));
    TRY_ASSIGN(const Job found, job_locked(job));
    if (is_finished(found.state)) {
      return fail(Code::kInvalidArgument, "job " + job.text() + " is " +
                                              std::string(state_name(found.state)) +
                                              " and does not change any more");
    }
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE job SET state = ?, step = ?, progress_bytes = ?, "
                                  "total_bytes = ?, error = ?, result = ?, updated = ?, "
                                  "expected_end = ? WHERE job_id = ?"));
    return statement.text(state_name(progress.state))
        .text(progress.step)
        .number(progress.progress_bytes)
        .number(progress.total_bytes)
        .text(progress.error)
        .text(progress.result)
        .time(progress.updated)
        .maybe(progress.expected_end)
        .id(job)
        .run();
  });
}

Result<> SqliteCatalog::set_job_plan(const JobId& job, const std::string& plan) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Job found, job_locked(job));
    if (is_finished(found.state)) {
      return fail(Code::kInvalidArgument, "job " + job.text() + " is finished; its plan stays");
    }
    found.plan = plan;
    TRY(check_record(found));
    TRY(check_json_locked("the plan of a job", plan));
    TRY_ASSIGN(Statement statement, database_->prepare("UPDATE job SET plan = ? WHERE job_id = ?"));
    return statement.text(plan).id(job).run();
  });
}

Result<> SqliteCatalog::set_job_priority(const JobId& job, JobPriority priority) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(const Job found, job_locked(job));
    if (is_finished(found.state)) {
      return fail(Code::kInvalidArgument, "job " + job.text() + " is finished");
    }
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE job SET priority = ? WHERE job_id = ?"));
    return statement.text(priority_name(priority)).id(job).run();
  });
}

Result<> SqliteCatalog::set_job_secret(const JobId& job, const Bytes& sealed) {
  return change([&]() -> Result<> {
    TRY_ASSIGN(Job found, job_locked(job));
    found.sealed_secret = sealed;
    TRY(check_record(found));
    TRY_ASSIGN(Statement statement,
               database_->prepare("UPDATE job SET sealed_secret = ? WHERE job_id = ?"));
    return statement.blob(sealed).id(job).run();
  });
}

Result<> SqliteCatalog::add_link_use(const JobId& job, std::span<const LinkUse> uses) {
  for (const LinkUse& use : uses) TRY(check_record(use));
  return change([&]() -> Result<> {
    TRY(job_locked(job));
    for (const LinkUse& use : uses) {
      TRY_ASSIGN(Statement statement,
                 database_->prepare(
                     "INSERT INTO link_use (job_id, from_site, to_site, link_class, origin, "
                     "payload_bytes, tag_bytes, key_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                     "ON CONFLICT DO UPDATE SET "
                     "payload_bytes = payload_bytes + excluded.payload_bytes, "
                     "tag_bytes = tag_bytes + excluded.tag_bytes, "
                     "key_bytes = key_bytes + excluded.key_bytes"));
      statement.id(job).site(use.from).site(use.to).text(use.link_class).text(use.origin);
      statement.number(use.payload_bytes).number(use.tag_bytes).number(use.key_bytes);
      TRY(statement.run());
    }
    return {};
  });
}

Result<std::vector<LinkUse>> SqliteCatalog::link_use_of_job(const JobId& job) {
  const std::lock_guard lock(mutex_);
  TRY(job_locked(job));
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT from_site, to_site, link_class, origin, payload_bytes, "
                                "tag_bytes, key_bytes FROM link_use WHERE job_id = ? "
                                "ORDER BY from_site, to_site, link_class, origin"));
  statement.id(job);
  return read_rows<LinkUse>(statement, read_link_use);
}

Result<std::vector<LinkUse>> SqliteCatalog::link_use_of_object(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  TRY(object_locked(object));
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT from_site, to_site, link_class, origin, "
                                "sum(payload_bytes), sum(tag_bytes), sum(key_bytes) "
                                "FROM job JOIN link_use USING (job_id) WHERE object_id = ? "
                                "GROUP BY from_site, to_site, link_class, origin "
                                "ORDER BY from_site, to_site, link_class, origin"));
  statement.id(object);
  return read_rows<LinkUse>(statement, read_link_use);
}

Result<> SqliteCatalog::add_sightings(const ObjectId& object, const JobId& job,
                                      std::span<const Sighting> sightings,
                                      std::span<const Sighting> reckoned) {
  return change([&]() -> Result<> {
    TRY(check_reckoned_locked(object, reckoned));
    return add_sightings_locked(object, job, sightings);
  });
}

Result<> SqliteCatalog::check_reckoned_locked(const ObjectId& object,
                                              std::span<const Sighting> reckoned) {
  TRY_ASSIGN(const std::vector<Sighting> known, sightings_locked(object));
  const std::set<Sighting> expected(reckoned.begin(), reckoned.end());
  for (const Sighting& one : known) {
    if (expected.contains(one)) continue;
    return fail(Code::kBusy, "meanwhile " + one.site.text() + " has come to see share " +
                                 one.path.text() + " of object " + object.text());
  }
  return {};
}

Result<> SqliteCatalog::add_sightings_locked(const ObjectId& object, const JobId& job,
                                             std::span<const Sighting> sightings) {
  for (const Sighting& sighting : sightings) TRY(check_record(sighting));
  TRY(object_locked(object));
  TRY(job_locked(job));
  for (const Sighting& sighting : sightings) {
    TRY_ASSIGN(Statement statement,
               database_->prepare("INSERT INTO sighting (object_id, site, path, job_id) "
                                  "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"));
    TRY(statement.id(object).site(sighting.site).blob(sighting.path.steps()).id(job).run());
  }
  return {};
}

Result<std::vector<Sighting>> SqliteCatalog::sightings(const ObjectId& object) {
  const std::lock_guard lock(mutex_);
  return sightings_locked(object);
}

Result<std::vector<Sighting>> SqliteCatalog::sightings_locked(const ObjectId& object) {
  TRY(object_locked(object));
  TRY_ASSIGN(Statement statement,
             database_->prepare("SELECT site, path FROM sighting WHERE object_id = ? "
                                "ORDER BY site, path"));
  statement.id(object);
  return read_rows<Sighting>(statement, [](Statement& row) {
    Sighting sighting;
    sighting.site = row.read_site();
    sighting.path = row.read_path();
    return sighting;
  });
}

}  // namespace warifu::catalog
