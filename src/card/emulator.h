// The consent card in software, behind the same APDUs as a chip, with its memory in one file.
//
// For demonstration and tests, and labelled so: the historical bytes of its ATR read "emulated
// card", its identity has the emulated flag, and the evidence made with it carries CardKind
// kOneTimeMacEmulated. Whoever can read the file can do what the card can do.
//
// Invariants:
// - A state change is durable before the answer that depends on it: the PIN counter goes down
// before
//   the PIN is compared, the index moves and its keys are gone before tags are answered.
// - A command that cannot store answers 6581 and changes nothing.
// - Keys being loaded, selection, PIN and chains live in volatile memory; reset() forgets them.
// - One process and one object hold a card file (a lock folder PATH.lock beside it).
// Thread rule: as every transport, one thread at a time. `files` must outlive the card.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "card/card_state.h"
#include "card/transport.h"

namespace warifu::card {

class EmulatedCard final : public CardTransport {
 public:
  // A new blank card. Errors: kAlreadyExists when the file exists; kBusy; kIo.
  [[nodiscard]] static Result<std::unique_ptr<EmulatedCard>> create(os::FileSystem& files,
                                                                    const std::string& path);
  // Errors: kNotFound, kBusy when another process or object has the card, kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<EmulatedCard>> open(os::FileSystem& files,
                                                                  const std::string& path);

  [[nodiscard]] Bytes atr() override;
  [[nodiscard]] Result<secret::Buffer> transmit(ByteView apdu) override;
  void reset() override;

 private:
  struct Load {  // keys on their way in; no effect before COMMIT LOAD
    bool is_top_up = false;
    bool is_renewal = false;
    CardId card;
    secret::Buffer pin;
    KeyRange range;
    std::vector<SiteKeys> sites;
    std::vector<std::uint32_t> loaded;  // keys received, per site
  };
  struct Volatile {
    bool is_selected = false;
    bool is_verified = false;    // the PIN, for reading and storing
    bool may_authorise = false;  // one AUTHORISE per VERIFY
    std::optional<CommandHeader> chain;
    secret::Buffer chain_data;
    secret::Buffer waiting;  // answer bytes for GET RESPONSE
    std::optional<Load> load;
  };

  EmulatedCard(os::FileSystem& files, std::string path, std::unique_ptr<os::DirectoryLock> lock,
               CardState state)
      : files_(files), path_(std::move(path)), lock_(std::move(lock)), state_(std::move(state)) {}

  // Assembles chains; then runs the whole command.
  ResponseApdu receive(CommandApdu command);
  ResponseApdu run(const CommandApdu& command);
  ResponseApdu run_selected(const CommandApdu& command);
  ResponseApdu answer_part(std::uint32_t expected);

  ResponseApdu select(const CommandApdu& command);
  ResponseApdu verify(const CommandApdu& command);
  ResponseApdu read_identity(const CommandApdu& command);
  ResponseApdu list_sites();
  ResponseApdu begin_load(const CommandApdu& command);
  ResponseApdu load_keys(const CommandApdu& command);
  ResponseApdu commit_load();
  ResponseApdu put_object(const CommandApdu& command);
  ResponseApdu list_objects();
  ResponseApdu get_object(const CommandApdu& command);
  ResponseApdu authorise(const CommandApdu& command);
  // Stores `next` durably and makes it the state; false leaves everything as it was.
  bool store(CardState next);

  os::FileSystem& files_;
  std::string path_;
  std::unique_ptr<os::DirectoryLock> lock_;
  CardState state_;
  Volatile now_;
};

}  // namespace warifu::card
