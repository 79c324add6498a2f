// Data formats of ETSI GS QKD 014: the standard's own examples, limits, and hundreds of broken
// texts.
#include "kme/etsi014_json.h"

#include <gtest/gtest.h>

#include <random>

#include "kme/etsi014_base64.h"
#include "wire/wire.h"

namespace warifu::kme::etsi014 {
namespace {

constexpr const char* kExampleId = "bc490419-7d60-487f-adc1-4ddcc177c139";
constexpr const char* kExampleKey = "wHHVxRwDJs3/bXd38GHP3oe4svTuRpZS0yCC7x4Ly+s=";
constexpr const char* kSecondId = "0a782fb5-3434-48fe-aa4d-14f41d46cf92";

secret::Buffer hidden(std::string_view text) {
  return secret::Buffer::copy_of(as_bytes(text));
}

std::string example_container() {
  return std::string("{\"keys\": [{\"key_ID\": \"") + kExampleId + "\", \"key\": \"" + kExampleKey +
         "\"}, {\"key_ID\": \"" + kSecondId +
         "\", \"key\": \"OeGMPxh1+2RpJpNCYixWHFLYRubpOKCw94FcCI7VdJA=\"}]}";
}

TEST(Container, ExampleOfTheStandard) {
  const auto keys = parse_key_container(hidden(example_container()));
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].id, kExampleId);
  EXPECT_EQ((*keys)[1].id, kSecondId);
  EXPECT_EQ(to_hex((*keys)[0].bytes.bytes()),
            "c071d5c51c0326cdff6d7777f061cfde87b8b2f4ee469652d32082ef1e0bcbeb");
  EXPECT_EQ((*keys)[1].bytes.size(), 32u);
}

TEST(Container, ToleratesWhatIsLegal) {
  for (const std::string& text :
       {std::string("{\"Keys\":[{\"key\":\"AAEC\",\"key_ID\":\"") + kExampleId + "\"}]}",
        std::string(" {\n\"x\":[1,{\"y\":null}],\"keys\":[{\"key_ID_extension\":{\"a\":[]},\"key_"
                    "ID\":\"") +
            kExampleId + "\",\"key\":\"AAEC\",\"key_extension\":{\"b\":-1.5e3}}],\"z\":\"\\\"\"}\n",
        std::string("{\"keys\":[{\"key_ID\":\"BC490419-7D60-487F-ADC1-4DDCC177C139\",\"key\":"
                    "\"\\u0041AEC\"}]}")}) {
    const auto keys = parse_key_container(hidden(text));
    ASSERT_TRUE(keys) << text;
    ASSERT_EQ(keys->size(), 1u);
    EXPECT_EQ((*keys)[0].id, kExampleId);
    EXPECT_EQ(to_hex((*keys)[0].bytes.bytes()), "000102");
  }
  const std::string slashes =
      std::string("{\"keys\":[{\"key_ID\":\"") + kExampleId + "\",\"key\":\"\\/\\/\\/\\/\"}]}";
  EXPECT_EQ(to_hex((*parse_key_container(hidden(slashes)))[0].bytes.bytes()), "ffffff");
  EXPECT_TRUE(parse_key_container(hidden("{\"keys\":[]}"))->empty());
}

TEST(Container, RefusesWhatIsNot) {
  const std::string id = std::string("\"key_ID\":\"") + kExampleId + "\"";
  const std::string cases[] = {
      "",
      "null",
      "[]",
      "{}",
      "{\"keys\":{}}",
      "{\"keys\":[{}]}",
      "{\"keys\":[1]}",
      "{\"keys\":[{" + id + "}]}",
      "{\"keys\":[{" + id + ",\"key\":\"\"}]}",
      "{\"keys\":[{" + id + ",\"key\":\"AAE\"}]}",
      "{\"keys\":[{" + id + ",\"key\":\"AA*C\"}]}",
      "{\"keys\":[{" + id + ",\"key\":\"AB==\"}]}",  // bits behind the last byte
      "{\"keys\":[{" + id + ",\"key\":17}]}",
      "{\"keys\":[{" + id + ",\"key\":\"AAEC\",\"key\":\"AAEC\"}]}",
      "{\"keys\":[{" + id + "," + id + ",\"key\":\"AAEC\"}]}",
      "{\"keys\":[{\"key_ID\":\"one\",\"key\":\"AAEC\"}]}",
      "{\"keys\":[{\"key\":\"AAEC\"}]}",
      "{\"keys\":[],\"keys\":[]}",
      "{\"keys\":[]} x",
      "{\"keys\":[]",
      "{\"keys\":[],}",
      "{\"keys\" []}",
      "{\"keys\":[{" + id + ",\"key\":\"AAEC\"},]}",
      "{\"keys\":[{" + id + ",\"key\":\"AAEC",
      "{\"keys\":[{" + id + ",\"key\":\"AAEC\\",
      "{\"keys\":[{" + id + ",\"key\":\"\\u00"};
  for (const std::string& text : cases) {
    const auto keys = parse_key_container(hidden(text));
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code, Code::kProtocol);
  }
  const std::string deep = "{\"x\":" + std::string(100'000, '[') + "}";
  EXPECT_FALSE(parse_key_container(hidden(deep)));
}

TEST(Container, MutationsNeverDoHarm) {
  const std::string good = example_container();
  std::mt19937 chance(20260101);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    const std::size_t changes = 1 + chance() % 3;
    for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
      const std::size_t at = chance() % text.size();
      switch (chance() % 4) {
        case 0: text[at] = static_cast<char>(chance()); break;
        case 1: text.erase(at, 1 + chance() % 8); break;
        case 2: text.insert(at, 1, "\"\\{}[],:=\0u"[chance() % 11]); break;
        default: text.resize(at + 1); break;
      }
    }
    if (const auto keys = parse_key_container(hidden(text))) {
      ++accepted;
      for (const DeviceKey& key : *keys) EXPECT_TRUE(normal_uuid(key.id));
    }
  }
  EXPECT_LT(accepted, 1500);
}

TEST(Container, WriterAndParserAgree) {
  for (const std::size_t size : {1UL, 2UL, 3UL, 32UL, 49151UL, 49152UL, 49153UL, 200'000UL}) {
    std::vector<DeviceKey> keys;
    for (int k = 0; k < 3; ++k) {
      DeviceKey key{uuid_text({static_cast<Byte>(k)}), secret::Buffer(size)};
      for (std::size_t i = 0; i < size; ++i) {
        key.bytes.bytes()[i] =
            static_cast<Byte>(i * 31 + static_cast<std::size_t>(k) * 7 + i / 256);
      }
      keys.push_back(std::move(key));
    }
    std::string text;
    const std::function<Result<>(ByteView)> sink = [&](ByteView piece) -> Result<> {
      EXPECT_LE(piece.size(), 64u * 1024);
      text += as_text(piece);
      return {};
    };
    ASSERT_TRUE(write_key_container(keys, sink));
    EXPECT_EQ(text.size(), key_container_length(keys));
    const auto back = parse_key_container(hidden(text));
    ASSERT_TRUE(back) << size;
    ASSERT_EQ(back->size(), keys.size());
    for (std::size_t k = 0; k < keys.size(); ++k) {
      EXPECT_EQ((*back)[k].id, keys[k].id);
      EXPECT_TRUE(secret::equal((*back)[k].bytes.bytes(), keys[k].bytes.bytes()));
    }
  }
  const std::function<Result<>(ByteView)> broken = [](ByteView) -> Result<> {
    return fail(Code::kUnavailable, "gone");
  };
  EXPECT_FALSE(write_key_container({}, broken));
}

TEST(Bulk, SameAsTheCarefulCodec) {
  std::mt19937 chance(5);
  for (std::size_t size = 0; size < 400; ++size) {
    Bytes bytes(size);
    for (Byte& byte : bytes) byte = static_cast<Byte>(chance());
    std::string expected(wire::base64_length(size), ' ');
    std::string text = expected;
    wire::base64_encode(bytes, expected);
    encode_bulk(bytes, text);
    ASSERT_EQ(text, expected) << size;
    Bytes back(size);
    ASSERT_EQ(*decode_bulk(text, back), size);
    ASSERT_EQ(back, bytes);
    if (size > 0) {
      EXPECT_FALSE(decode_bulk(text, MutableBytes(back).first(size - 1)));
    }
  }
  // Every value of every character of a block and its tail.
  const std::string good(132, 'Q');
  Bytes out(99);
  Bytes careful(99);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string text = good;
      text[at] = static_cast<char>(c);
      const auto fast = decode_bulk(text, out);
      const auto slow = wire::base64_decode(text, careful);
      ASSERT_EQ(fast.has_value(), slow.has_value()) << at << " " << c;
      if (fast) {
        ASSERT_EQ(out, careful) << at << " " << c;
      }
    }
  }
}

TEST(StatusBody, ExampleOfTheStandard) {
  const std::string text =
      R"({"source_KME_ID":"AAAABBBBCCCCDDDD","target_KME_ID":"EEEEFFFFGGGGHHHH",)"
      R"("master_SAE_ID":"IIIIJJJJKKKKLLLL","slave_SAE_ID":"MMMMNNNNOOOOPPPP","key_size":352,)"
      R"("stored_key_count":25000,"max_key_count":100000,"max_key_per_request":128,)"
      R"("max_key_size":1024,"min_key_size":64,"max_SAE_ID_count":0})";
  const auto status = parse_status(text);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->key_size, 352);
  EXPECT_EQ(status->stored_key_count, 25000);
  EXPECT_EQ(status->slave_sae_id, "MMMMNNNNOOOOPPPP");
  EXPECT_EQ(to_json(*status), text);
  Status extended = *status;
  extended.extension = R"({"warifu_origin":"RATE_MODEL","n":1})";
  const auto back = parse_status(to_json(extended));
  EXPECT_EQ(extension_text(*back, "warifu_origin"), "RATE_MODEL");
  EXPECT_EQ(extension_text(*back, "n"), "");
  EXPECT_EQ(extension_text(*status, "warifu_origin"), "");
}

TEST(StatusBody, ContradictionsAreRefused) {
  const auto make = [](const char* key, const char* least, const char* most, const char* count) {
    return std::string(R"({"key_size":)") + key + R"(,"stored_key_count":)" + count +
           R"(,"max_key_count":9,"max_key_per_request":1,"max_key_size":)" + most +
           R"(,"min_key_size":)" + least + R"(,"max_SAE_ID_count":0})";
  };
  EXPECT_TRUE(parse_status(make("256", "64", "512", "3")));
  EXPECT_FALSE(parse_status(make("0", "64", "512", "3")));
  EXPECT_FALSE(parse_status(make("32", "64", "512", "3")));
  EXPECT_FALSE(parse_status(make("1024", "64", "512", "3")));
  EXPECT_FALSE(parse_status(make("256", "64", "512", "-3")));
  EXPECT_FALSE(parse_status(make("256", "64", "512", "2147483648")));
  EXPECT_FALSE(parse_status(make("256", "64", "512", "\"3\"")));
  EXPECT_FALSE(parse_status(make("256", "64", "512", "3.0")));
  EXPECT_EQ(parse_status("{}").error().code, Code::kProtocol);
}

TEST(Requests, KeyRequest) {
  const auto request = parse_key_request(
      R"({"number":1,"size":4096,"additional_slave_SAE_IDs":["SAE-C"],"other":[],)"
      R"("extension_mandatory":[{"abc_route_type":"direct"}]})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->number, 1);
  EXPECT_EQ(request->size, 4096);
  EXPECT_EQ(request->additional_saes, std::vector<std::string>{"SAE-C"});
  EXPECT_EQ(request->extension_mandatory, std::vector<std::string>{"abc_route_type"});
  EXPECT_EQ(parse_key_request("")->number, 1);
  EXPECT_FALSE(parse_key_request("")->size);
  for (const char* bad :
       {"[]", "{", R"({"number":"3"})", R"({"number":1.5})", R"({"size":true})",
        R"({"number":99999999999999999999})", R"({"additional_slave_SAE_IDs":"SAE-C"})",
        R"({"additional_slave_SAE_IDs":[1]})", R"({"extension_mandatory":{}})",
        R"({"extension_mandatory":["x"]})"}) {
    const auto refused = parse_key_request(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  }
  KeyRequest own;
  own.number = 3;
  own.size = 1024;
  EXPECT_EQ(to_json(own), R"({"number":3,"size":1024})");
}

TEST(Requests, KeyIds) {
  const std::string text = key_ids_to_json({kExampleId});
  EXPECT_EQ(text, std::string("{\"key_IDs\":[{\"key_ID\":\"") + kExampleId + "\"}]}");
  EXPECT_EQ(*parse_key_ids(text), std::vector<std::string>{kExampleId});
  for (const char* bad : {"", "{}", R"({"key_IDs":[]})", R"({"key_IDs":["x"]})",
                          R"({"key_IDs":[{"key_ID":"x"}]})", R"({"key_IDs":[{}]})"}) {
    EXPECT_FALSE(parse_key_ids(bad)) << bad;
  }
}

TEST(Requests, MutationsNeverDoHarm) {
  const std::string seeds[] = {
      R"({"number":3,"size":1024,"additional_slave_SAE_IDs":["a"],)"
      R"("extension_mandatory":[{"a":1}]})",
      key_ids_to_json({kExampleId, kSecondId}), error_to_json("text", {{"a", 1}}),
      R"({"key_size":8,"stored_key_count":1,"max_key_count":9,"max_key_per_request":1,)"
      R"("max_key_size":8,"min_key_size":8,"max_SAE_ID_count":0,"status_extension":{"a":"b"}})"};
  std::mt19937 chance(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text = seeds[chance() % 4];
    for (int i = 0; i < 3; ++i) {
      text[chance() % text.size()] = static_cast<char>(chance());
    }
    (void)parse_key_request(text);
    (void)parse_key_ids(text);
    (void)parse_error_message(text);
    if (const auto status = parse_status(text)) (void)to_json(*status);
  }
}

TEST(Errors, BodiesAndUuids) {
  EXPECT_EQ(error_to_json("not enough key", {{"bits_requested", 8}}),
            R"({"message":"not enough key","details":[{"bits_requested":8}]})");
  EXPECT_EQ(parse_error_message(R"({"message":"m","details":["text"]})"), "m");
  EXPECT_FALSE(parse_error_message("<html>"));
  std::array<Byte, 16> all_ones{};
  all_ones.fill(0xFF);
  EXPECT_EQ(uuid_text(all_ones), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(*normal_uuid("BC490419-7d60-487f-adc1-4ddcc177c139"), kExampleId);
  for (const char* bad :
       {"", "bc490419-7d60-487f-adc1-4ddcc177c13", "bc490419x7d60-487f-adc1-4ddcc177c139",
        "gc490419-7d60-487f-adc1-4ddcc177c139"}) {
    EXPECT_FALSE(normal_uuid(bad)) << bad;
  }
}

}  // namespace
}  // namespace warifu::kme::etsi014
