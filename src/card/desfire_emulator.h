// A DESFire card in software, behind the same APDUs as the chip, with its memory in one file.
//
// For demonstrations and tests, and labelled so: the historical bytes of its ATR read "emulated
// card", its maker in GetVersion is none that is registered, and evidence made with it carries
// CardKind::kDesfireEmulated. A subset: AES applications with standard and backup files, EV1 and
// EV2 authentication and messaging, no values, records, transaction MACs, LRP or ISO file commands.
// The card's own master key is not there: applications can be made, not erased by strangers.
//
// Invariants, as of the other emulated card (emulator.h): a change is durable before its answer;
// a command that cannot store answers 91EE and changes nothing; selection, session, frames and
// uncommitted writes are volatile; one process and one object hold a card file. Any status but 00
// and AF ends the session and drops what was not committed. Thread rule: as every transport, one
// thread at a time. `files` and `random` must outlive the card.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "card/desfire_messaging.h"
#include "card/desfire_state.h"
#include "card/transport.h"
#include "os/system.h"

namespace warifu::card::desfire {

class DesfireCard final : public CardTransport {
 public:
  // A new blank card with a drawn UID. Errors: kAlreadyExists, kBusy, kIo.
  [[nodiscard]] static Result<std::unique_ptr<DesfireCard>> create(os::FileSystem& files,
                                                                   os::Random& random,
                                                                   const std::string& path);
  // Errors: kNotFound, kBusy, kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<DesfireCard>> open(os::FileSystem& files,
                                                                 os::Random& random,
                                                                 const std::string& path);

  [[nodiscard]] Bytes atr() override;
  [[nodiscard]] Result<secret::Buffer> transmit(ByteView apdu) override;
  void reset() override;

 private:
  struct Reply {
    Status status = Status::kOk;
    secret::Buffer data = {};
  };
  // Between the two passes of an authentication.
  struct Proving {
    Command command = Command::kAuthenticateEv2First;
    Byte key_number = 0;
    Random16 rnd_b{};
    Random16 iv{};  // of EV1: the last block sent
  };
  struct Incoming {  // a command of several frames
    Command command;
    secret::Buffer data;
  };
  struct Volatile {
    ApplicationId selected;  // 0: the card itself
    std::optional<Proving> proving;
    std::unique_ptr<Messaging> session;
    bool is_ev2 = false;
    Byte key_number = 0;  // of the session
    std::optional<Incoming> incoming;
    std::deque<secret::Buffer> outgoing;  // frames that wait for AF
    std::map<FileNumber, secret::Buffer> uncommitted;
  };

  DesfireCard(os::FileSystem& files, os::Random& random, std::string path,
              std::unique_ptr<os::DirectoryLock> lock, DesfireState state)
      : files_(files),
        random_(random),
        path_(std::move(path)),
        lock_(std::move(lock)),
        state_(std::move(state)) {}

  ResponseApdu receive(const CommandApdu& command);
  ResponseApdu select_by_name(const CommandApdu& command);
  ResponseApdu answer(Reply reply);
  Reply frame(Command command, ByteView data);
  Reply run(Command command, ByteView received);
  Reply run_in_session(Command command, ByteView received);
  Reply execute(Command command, ByteView data);
  void end_session();

  Reply first_pass(Command command, ByteView data);
  Reply second_pass(ByteView data);
  Reply prove_ev2(const Proving& proving, ByteView key, ByteView data);
  Reply prove_aes(const Proving& proving, ByteView key, ByteView data);

  Reply select_application(ByteView data);
  Reply get_version();
  Reply create_application(ByteView data);
  Reply delete_application(ByteView data);
  Reply list_applications();
  Reply key_settings();
  Reply key_version(ByteView data);
  Reply change_key(ByteView data);
  Reply list_files();
  Reply file_settings(ByteView data);
  Reply create_file(ByteView data, bool is_backup);
  Reply read_data(ByteView data);
  Reply write_data(ByteView data);
  Reply commit();

  // Access of a session or of everybody to the file that a command's header names.
  struct Access {
    Status status = Status::kOk;
    Comm comm = Comm::kPlain;
  };
  Access access(Command command, ByteView received);
  // How the session protects a command.
  Access protection(Command command, ByteView received);
  // Bytes of a WriteData that arrive in all, from its first frame.
  std::size_t whole_length(Command command, ByteView first_frame);
  Application* selected() { return state_.find(now_.selected); }
  bool is_master() const { return now_.session != nullptr && now_.key_number == 0; }
  // Stores `next` durably and makes it the state.
  Reply store(DesfireState next);

  os::FileSystem& files_;
  os::Random& random_;
  std::string path_;
  std::unique_ptr<os::DirectoryLock> lock_;
  DesfireState state_;
  Volatile now_;
};

}  // namespace warifu::card::desfire
