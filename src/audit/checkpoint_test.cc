// Notes and co-signatures: what is signed verifies, whatever is bent does not.
#include "audit/checkpoint.h"

#include <gtest/gtest.h>

namespace warifu::audit {
namespace {

crypto::SigningKey key_of(Byte byte) {
  return crypto::SigningKey(secret::Buffer::copy_of(Bytes(32, byte)));
}

Note signed_note() {
  Note note{{"warifu.log/lsa", 117, leaf_hash({})}, {}};
  note.lines.push_back(sign_line(note.checkpoint, "lsa", key_of(1)));
  note.lines.push_back(cosign_line(note.checkpoint, "tuh", key_of(2), {1'795'000'000'000}));
  return note;
}

TEST(CheckpointTest, ANoteIsReadBackAsItWasWritten) {
  const Note note = signed_note();
  const auto read = parse_note(note.text());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->checkpoint, note.checkpoint);
  EXPECT_EQ(read->lines, note.lines);
  EXPECT_TRUE(note.text().starts_with("warifu.log/lsa\n117\n"));
}

TEST(CheckpointTest, SignaturesAreThoseOfTheirHolders) {
  const Note note = signed_note();
  const auto lsa = key_of(1).public_key(), tuh = key_of(2).public_key();
  EXPECT_EQ(signed_by(note, "lsa", SignatureKind::kLog, lsa)->value, 0);
  EXPECT_EQ(signed_by(note, "tuh", SignatureKind::kWitness, tuh)->value, 1'795'000'000'000);
  EXPECT_FALSE(signed_by(note, "lsa", SignatureKind::kWitness, lsa));
  EXPECT_FALSE(signed_by(note, "tuh", SignatureKind::kLog, tuh));
  EXPECT_FALSE(signed_by(note, "tommo", SignatureKind::kLog, lsa));
  EXPECT_FALSE(signed_by(note, "lsa", SignatureKind::kLog, tuh));
}

TEST(CheckpointTest, ABentNoteIsSignedByNobody) {
  const std::string good = signed_note().text();
  const auto lsa = key_of(1).public_key(), tuh = key_of(2).public_key();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bent = good;
    bent[i] = static_cast<char>(bent[i] ^ 1);
    const auto note = parse_note(bent);
    if (!note) continue;
    EXPECT_FALSE(signed_by(*note, "lsa", SignatureKind::kLog, lsa) &&
                 signed_by(*note, "tuh", SignatureKind::kWitness, tuh))
        << i;
  }
}

TEST(CheckpointTest, WhatIsNoNoteIsRefused) {
  for (const std::string& text : std::vector<std::string>{
           "", "a\n", "a\n1\n", "a\nx\nAAAA\n\n", "a\n01\n" + std::string(43, 'A') + "=\n\n",
           "a\n1\nAAAA\n\n", "\n1\n" + std::string(43, 'A') + "=\n\n",
           "a\n1\n" + std::string(43, 'A') + "=\n\nsigned\n",
           "a\n1\n" + std::string(43, 'A') + "=\n\n\u2014 x y"}) {
    EXPECT_FALSE(parse_note(text)) << text;
  }
}

}  // namespace
}  // namespace warifu::audit
