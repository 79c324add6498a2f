// `warifu restore`: verified plaintext into a file that appears only when it is whole.
#include <fmt/format.h>

#include <chrono>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/consent_commands.h"
#include "apps/output.h"
#include "apps/region_words.h"
#include "base/limits.h"
#include "base/reason.h"
#include "base/units.h"
#include "os/files.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

// OUT.JOB.partial while the stream runs; OUT once all is verified.
class OutputFile {
 public:
  static Result<OutputFile> open(const std::string& path, const std::string& job) {
    os::FileSystem& files = os::real_files();
    const std::string partial = path + "." + job.substr(0, 8) + ".partial";
    TRY_ASSIGN(auto file, files.open(partial, os::OpenMode::kOpenOrCreate));
    TRY_ASSIGN(const std::uint64_t size, file->size());
    // Whole chunks only: a restore goes on at a chunk's start.
    const std::uint64_t kept = size / limits::kChunkBytes * limits::kChunkBytes;
    TRY(file->truncate(kept));
    return OutputFile(std::move(file), path, partial, kept);
  }

  Result<> append(ByteView bytes) {
    TRY(file_->write_at(size_, bytes));
    size_ += bytes.size();
    return {};
  }

  Result<> clear() {
    size_ = 0;
    return file_->truncate(0);
  }

  Result<> finish() {
    file_->sync();
    TRY(os::real_files().rename(partial_, path_));
    os::real_files().sync_dir(os::parent_of(path_));
    return {};
  }

  void discard() { (void)os::real_files().remove(partial_); }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  OutputFile(std::unique_ptr<os::File> file, std::string path, std::string partial,
             std::uint64_t size)
      : file_(std::move(file)), path_(std::move(path)), partial_(std::move(partial)), size_(size) {}
  std::unique_ptr<os::File> file_;
  std::string path_;
  std::string partial_;
  std::uint64_t size_;
};

// The job knows more than a stream that was cut.
Error better_error(ApiClient& client, const std::string& job, Error error) {
  const auto record = client.get("/v1/jobs/" + job);
  if (!record) return error;
  const std::string why = text_of(*record, "error");
  if (!why.empty() && (error.code == Code::kUnavailable || error.code == Code::kProtocol)) {
    error.message = why;
    error.reason = reason_of_name(text_of(*record, "error_reason")).value_or(Reason::kNone);
  }
  if (text_of(*record, "state") == "paused") {
    error.message += "; go on with: warifu restore ... --resume " + job;
  }
  return error;
}

void print_result(const json::value& result, const std::string& out) {
  std::string letters;
  for (const auto& letter : result.at("using").as_array()) {
    letters += (letters.empty() ? "" : " + ") + std::string(letter.as_string());
  }
  fmt::print("restored {} to {} in {}, every chunk verified against the card\nfrom shares {}",
             human_bytes(number_of(result, "bytes")), out,
             human_seconds(result.at("seconds").to_number<double>()), letters);
  if (result.as_object().contains("regions")) {
    fmt::print(": {} records, {} of {} pieces, {} bits of key", number_of(result, "records"),
               number_of(result, "chunks"), number_of(result, "chunks_of_object"),
               number_of(result, "key_bits"));
  }
  if (!text_of(result, "gathered_at").empty()) {
    fmt::print(", gathered at {}", text_of(result, "gathered_at"));
  }
  fmt::print("\n");
  const auto whole = result.as_object().find("tag_over_all");
  if (whole != result.as_object().end() && whole->value() == "not_known") {
    fmt::print(
        "the object's record has no tag over all of its pieces, as its catalog came back from a "
        "copy made during the store: each piece was checked by itself\n");
  }
  if (whole != result.as_object().end() && whole->value() == "interrupted") {
    fmt::print(
        "it went on after an interruption: each piece was checked by itself, the tag over all of "
        "them was not\n");
  }
  for (const auto& entry : result.at("blamed").as_array()) {
    fmt::print("share {} at {} was wrong and was left out\n", text_of(entry, "share"),
               text_of(entry, "site"));
  }
  for (const auto& entry : result.at("skipped").as_array()) {
    fmt::print("{} was left out: {}\n", text_of(entry, "site"), text_of(entry, "why"));
  }
}

// The job: a new one, or the one to go on with.
Result<std::string> begin(ApiClient& client, const RestoreOptions& options) {
  if (!options.resume.empty()) return options.resume;
  if (options.as.empty()) {
    return fail(Code::kInvalidArgument,
                "say who asks with --as, as the consent names the grantee (NAME, "
                "organisation:NAME or role:NAME)");
  }
  TRY_ASSIGN(
      const json::value begun,
      client.post("/v1/restores", {{"object", options.object},
                                   {"grant", options.grant},
                                   {"using", options.using_shares},
                                   {"gather", options.gather},
                                   {"grantee", options.as},
                                   {"grantee_id", options.as_id},
                                   {"use", texts_json(options.use)},
                                   {"regions", texts_json(options.regions)},
                                   {"format", options.format},
                                   {"purpose", options.purpose == "health" ? "health_management"
                                                                           : options.purpose}}));
  return text_of(begun, "job");
}

}  // namespace

Result<> restore(const Common& common, const RestoreOptions& wished) {
  RestoreOptions options = wished;
  TRY_ASSIGN(options.regions, regions_in_words(wished.regions));
  const auto started = std::chrono::steady_clock::now();
  ApiClient client(common);
  if (os::real_files().exists(options.out)) {
    return fail(Code::kAlreadyExists, "'" + options.out + "' already exists; it was not touched");
  }
  TRY_ASSIGN(const std::string job, begin(client, options));
  TRY_ASSIGN(const json::value before, client.get("/v1/jobs/" + url_text(job)));
  const std::uint64_t total = number_of(before, "total_bytes");
  TRY_ASSIGN(OutputFile out, OutputFile::open(options.out, job));
  // Of regions nothing is kept of an earlier attempt: what they are cut from is read in one go.
  const bool is_whole = text_of(before.at("plan"), "part") == "whole";
  if (!is_whole) TRY(out.clear());
  Result<> done;
  {
    ProgressLine progress("restoring");
    done = client.download(fmt::format("/v1/restores/{}/content?from={}", job, out.size()),
                           [&](ByteView bytes) -> Result<> {
                             TRY(out.append(bytes));
                             progress.show(out.size(), total);
                             return {};
                           });
  }
  if (done && is_whole && out.size() != total) {
    done = fail(Code::kUnavailable, "the stream ended before the object was whole");
  }
  json::value record;
  if (done) {
    TRY_ASSIGN(record, client.get("/v1/jobs/" + url_text(job)));
    if (text_of(record, "state") != "done") {
      done = fail(Code::kCorrupt, "the restore was not confirmed: " + text_of(record, "error"));
    }
  }
  if (!done) {
    const Error error = better_error(client, job, done.error());
    const auto now = client.get("/v1/jobs/" + url_text(job));
    if (now && text_of(*now, "state") == "failed") out.discard();
    return std::unexpected(error);
  }
  TRY(out.finish());
  json::object result = record.at("result").as_object();
  result["job"] = job;
  result["key_bits"] = 8 * number_of(record.at("result"), "key_bytes");
  result["seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (common.json) {
    print_json(result);
  } else {
    print_result(result, options.out);
  }
  return {};
}

}  // namespace warifu::apps
