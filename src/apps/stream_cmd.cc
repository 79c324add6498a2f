// `warifu stream`: an application's use of a site's key streams, and what an operator sees of them.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <boost/json.hpp>

#include "apps/api_client.h"
#include "apps/key_commands.h"
#include "apps/output.h"
#include "apps/stream_client.h"
#include "base/units.h"
#include "config/site_config.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;

constexpr std::uint32_t kMetadataRoom = 512;
constexpr std::uint64_t kAhead = 2;  // requests on their way

Result<StreamClient> connect(const Common& common, const StreamOptions& options) {
  if (!options.socket.empty()) return StreamClient::connect(options.socket);
  if (common.site.empty()) {
    return fail(Code::kInvalidArgument, "name the site (--site) or its socket (--socket)");
  }
  TRY_ASSIGN(const config::SiteConfig config, config::load_site_config(common.site + "/site.toml"));
  if (!config.kms || config.kms->streams.socket.empty()) {
    return fail(Code::kNotFound,
                "site " + config.name.text() + " has no key streams: [kms] has no stream_socket");
  }
  return StreamClient::connect(config.kms->streams.socket);
}

Result<std::uint32_t> number_of_size(const std::string& text, const char* what) {
  if (text.empty()) return 0;
  TRY_ASSIGN(const std::uint64_t size, parse_size(text));
  if (size > 0xFFFFFFFF) return fail(Code::kInvalidArgument, std::string(what) + " is too large");
  return static_cast<std::uint32_t>(size);
}

Result<std::uint32_t> seconds_of(const std::string& text, const char* what) {
  if (text.empty()) return 0;
  TRY_ASSIGN(const std::uint64_t seconds, parse_duration(text));
  if (seconds > 1'000'000) {
    return fail(Code::kInvalidArgument, std::string(what) + " is too large");
  }
  return static_cast<std::uint32_t>(seconds);
}

Result<kme::StreamOpenRequest> request_of(const StreamOptions& options) {
  kme::StreamOpenRequest request{
      .source = options.as, .destination = options.to, .qos = {}, .id = {}};
  if (!options.id.empty()) {
    TRY_ASSIGN(request.id, kme::parse_stream_id(options.id));
  }
  TRY_ASSIGN(request.qos.chunk_bytes, number_of_size(options.chunk, "--chunk"));
  TRY_ASSIGN(request.qos.ttl_seconds, seconds_of(options.ttl, "--ttl"));
  TRY_ASSIGN(const std::uint32_t timeout, seconds_of(options.timeout, "--timeout"));
  request.qos.timeout_ms = timeout * 1000;
  request.qos.min_bps = options.min_bps;
  request.qos.max_bps = options.max_bps;
  request.qos.mimetype = kme::kStreamMetadata;
  return request;
}

// Where the key goes: a new file that only its owner may read, or standard output.
class Sink {
 public:
  static Result<Sink> open(const std::string& path) {
    Sink sink;
    if (path == "-") return sink;
    TRY_ASSIGN(sink.file_, os::real_files().open(path, os::OpenMode::kCreate));
    return sink;
  }
  Result<> put(ByteView bytes) {
    if (file_ != nullptr) {
      TRY(file_->write_at(at_, bytes));
    } else if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) {
      return fail(Code::kIo, "standard output takes no more");
    }
    at_ += bytes.size();
    return {};
  }
  Result<> finish() {
    if (file_ != nullptr) {
      file_->sync();
    } else if (std::fflush(stdout) != 0) {
      return fail(Code::kIo, "standard output takes no more");
    }
    return {};
  }

 private:
  std::unique_ptr<os::File> file_;
  std::uint64_t at_ = 0;
};

struct ReadResult {
  std::uint32_t first = 0;
  std::uint64_t chunks = 0;
  std::string material;  // of the first chunk
};

Result<ReadResult> read_chunks(StreamClient& client, const kme::KeyStreamId& id,
                               std::uint64_t chunk_bytes, std::uint64_t bytes, Sink& sink) {
  ReadResult result;
  const std::uint64_t chunks = (bytes + chunk_bytes - 1) / chunk_bytes;
  std::uint64_t asked = 0;
  while (result.chunks < chunks) {
    while (asked < std::min(chunks, result.chunks + kAhead)) {
      TRY(client.ask({id, kme::kNextChunk, asked == 0 ? kMetadataRoom : 0}));
      ++asked;
    }
    TRY_ASSIGN(const StreamClient::Chunk chunk, client.receive());
    if (result.chunks++ == 0) {
      result.first = chunk.index;
      result.material = chunk.metadata;
    }
    const std::uint64_t part = std::min<std::uint64_t>(bytes, chunk.key.size());
    TRY(sink.put(chunk.key.bytes().first(part)));
    bytes -= part;
  }
  TRY(sink.finish());
  return result;
}

}  // namespace

Result<> stream_open(const Common& common, const StreamOptions& options) {
  TRY_ASSIGN(const kme::StreamOpenRequest request, request_of(options));
  TRY_ASSIGN(StreamClient client, connect(common, options));
  TRY_ASSIGN(const kme::StreamOpenAnswer answer, client.open(request));
  const std::string id = kme::stream_id_text(answer.id);
  if (common.json) {
    print_json({{"id", id},
                {"chunk_bytes", answer.qos.chunk_bytes},
                {"ttl_seconds", answer.qos.ttl_seconds},
                {"timeout_ms", answer.qos.timeout_ms},
                {"peer_connected", answer.status == kme::StreamStatus::kOk}});
    return {};
  }
  fmt::print("{}\n", id);
  return {};
}

Result<> stream_read(const Common& common, const StreamOptions& options) {
  if (common.json && options.out == "-") {
    return fail(Code::kInvalidArgument, "--json and --out - would mix on standard output");
  }
  TRY_ASSIGN(const std::uint64_t bytes, parse_size(options.bytes));
  if (bytes == 0) return fail(Code::kInvalidArgument, "--bytes must be at least 1");
  TRY_ASSIGN(const kme::StreamOpenRequest request, request_of(options));
  if (request.id.is_zero()) return fail(Code::kInvalidArgument, "--id must name a key stream");
  TRY_ASSIGN(StreamClient client, connect(common, options));
  TRY_ASSIGN(const kme::StreamOpenAnswer answer, client.open(request));
  TRY_ASSIGN(Sink sink, Sink::open(options.out));
  const auto start = std::chrono::steady_clock::now();
  TRY_ASSIGN(const ReadResult result,
             read_chunks(client, answer.id, answer.qos.chunk_bytes, bytes, sink));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (common.json) {
    json::value material = json::parse(result.material);
    print_json({{"id", kme::stream_id_text(answer.id)},
                {"first_chunk", result.first},
                {"chunks", result.chunks},
                {"chunk_bytes", answer.qos.chunk_bytes},
                {"bytes", bytes},
                {"seconds", seconds},
                {"material", std::move(material)}});
    return {};
  }
  const std::string text =
      fmt::format("{} from chunk {} on, {}/s\n", human_bytes(bytes), result.first,
                  human_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)));
  std::fputs(text.c_str(), options.out == "-" ? stderr : stdout);
  return {};
}

Result<> stream_close(const Common& common, const StreamOptions& options) {
  TRY_ASSIGN(const kme::KeyStreamId id, kme::parse_stream_id(options.id));
  TRY_ASSIGN(StreamClient client, connect(common, options));
  TRY(client.close(id));
  if (common.json) print_json({{"id", kme::stream_id_text(id)}, {"closed", true}});
  return {};
}

Result<> stream_status(const Common& common) {
  ApiClient client(common);
  TRY_ASSIGN(const json::value answer, client.get("/v1/streams"));
  if (common.json) {
    print_json(answer);
    return {};
  }
  fmt::print("site {} gives key streams at {}, at most {}\n", text_of(answer, "site"),
             text_of(answer, "socket"), number_of(answer, "most"));
  std::vector<std::vector<std::string>> rows;
  for (const auto& stream : answer.at("streams").as_array()) {
    const std::uint64_t chunk = number_of(stream, "chunk_bytes");
    rows.push_back({text_of(stream, "id"), text_of(stream, "source"),
                    text_of(stream, "destination"), text_of(stream, "state"),
                    human_bytes(number_of(stream, "given_chunks") * chunk),
                    human_bytes(number_of(stream, "waiting_chunks") * chunk),
                    human_seconds(static_cast<double>(number_of(stream, "seconds_left")))});
  }
  print_table({"STREAM", "SOURCE", "DESTINATION", "STATE", "GIVEN", "WAITING", "LEFT"}, rows);
  return {};
}

}  // namespace warifu::apps
