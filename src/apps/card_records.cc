// A record from the site to the card.
#include "apps/card_records.h"

#include <boost/json.hpp>

#include "apps/output.h"

namespace warifu::apps {

Result<> put_record(ApiClient& client, const std::string& object, CardTerminal& terminal) {
  TRY_ASSIGN(const boost::json::value record, client.get("/v1/objects/" + object + "/card-record"));
  TRY_ASSIGN(const card::CardIdentity identity, terminal.card->identity());
  if (identity.card.text() != text_of(record, "card")) {
    return fail(Code::kRefused, "this card belongs to another person than the object");
  }
  card::ObjectRecord entry;
  TRY_ASSIGN(entry.object, ObjectId::parse(object));
  TRY_ASSIGN(Bytes key, from_hex(text_of(record, "hash_key")));
  TRY_ASSIGN(const Bytes tag, from_hex(text_of(record, "tag")));
  entry.hash_key = secret::Buffer::copy_of(key);
  secret::wipe(key);
  copy_bytes(entry.tag, tag);
  entry.chunk_count = number_of(record, "chunks");
  entry.length = {number_of(record, "bytes")};
  TRY(terminal.card->put_object(entry));
  TRY(client.post("/v1/objects/" + object + "/card-record", boost::json::object()));
  return {};
}

}  // namespace warifu::apps
