// The data formats of ETSI GS QKD 014 V1.1.1 as values, and their JSON text.
//
// Key containers never pass through a general JSON tree: they are scanned in place in secret memory
// and decoded straight into the keys' own buffers; writing goes piece by piece through one secret
// buffer. All other bodies carry no secret and use Boost.JSON, bounded in depth and size by the
// caller.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kme/intake.h"

namespace warifu::kme::etsi014 {

inline constexpr std::int64_t kMaxInteger = 2'147'483'647;  // of every Status member
inline constexpr std::size_t kMaxKeysInContainer = 4096;
inline constexpr std::string_view kKeysNotFound = "one or more keys specified are not found on KME";

struct Status {
  std::string source_kme_id;
  std::string target_kme_id;
  std::string master_sae_id;
  std::string slave_sae_id;
  std::int64_t key_size = 0;  // bits, like all sizes here
  std::int64_t stored_key_count = 0;
  std::int64_t max_key_count = 0;
  std::int64_t max_key_per_request = 0;
  std::int64_t max_key_size = 0;
  std::int64_t min_key_size = 0;
  std::int64_t max_sae_id_count = 0;
  std::string extension;  // JSON text of status_extension, or empty
};

struct KeyRequest {
  std::int64_t number = 1;
  std::optional<std::int64_t> size;
  std::vector<std::string> additional_saes;
  bool additional_given = false;
  std::vector<std::string> extension_mandatory;  // names
};

// Errors of the parsers: kInvalidArgument with a text for the sender, kProtocol for what a device
// sent.

[[nodiscard]] std::string to_json(const Status& status);
// Also checks the relations that the standard asks for between the numbers.
[[nodiscard]] Result<Status> parse_status(std::string_view text);
// The text member `name` of a status extension; empty when there is none.
[[nodiscard]] std::string extension_text(const Status& status, std::string_view name);
// The number that is member `name`; none when there is none, or it is below zero.
[[nodiscard]] std::optional<double> extension_number(const Status& status, std::string_view name);

[[nodiscard]] std::string to_json(const KeyRequest& request);
// An empty body means all defaults; unknown members are ignored.
[[nodiscard]] Result<KeyRequest> parse_key_request(std::string_view text);

[[nodiscard]] std::string key_ids_to_json(const std::vector<std::string>& ids);
[[nodiscard]] Result<std::vector<std::string>> parse_key_ids(std::string_view text);

// {"message": ..., "details": [{name: value}, ...]} with integer values.
[[nodiscard]] std::string error_to_json(
    std::string_view message, const std::vector<std::pair<std::string, std::int64_t>>& details);
// The message of an Error body; none when there is no such body.
[[nodiscard]] std::optional<std::string> parse_error_message(std::string_view text);

// Lower-case form of a UUID (36 characters, any version). Errors: kInvalidArgument.
[[nodiscard]] Result<std::string> normal_uuid(std::string_view text);
// The text of a random UUID: version 4 bits are set in `random`.
[[nodiscard]] std::string uuid_text(std::array<Byte, 16> random);

// Decodes a container; its text is changed in place and wiped with the buffer. Errors: kProtocol.
[[nodiscard]] Result<std::vector<DeviceKey>> parse_key_container(secret::Buffer text);
// Bytes that write_key_container() will produce.
[[nodiscard]] std::uint64_t key_container_length(const std::vector<DeviceKey>& keys);
// Writes a container in pieces of at most 64 KiB. Errors: the first one of `sink`.
[[nodiscard]] Result<> write_key_container(const std::vector<DeviceKey>& keys,
                                           const std::function<Result<>(ByteView)>& sink);

}  // namespace warifu::kme::etsi014
