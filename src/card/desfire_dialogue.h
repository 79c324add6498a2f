// A conversation with a DESFire card as a machine without a transport: it says which APDU comes
// next and takes the answer, wherever the card is. A share site runs one over the wire, a terminal
// runs one at its reader.
//
// Commands are queued and sent one after another. What is queued while an answer is being taken
// comes next, before everything that was queued earlier. Keys are bound to the machine and wiped
// with it. An error ends the dialogue: the card's state is unknown, begin another one.
// One thread at a time. `random` must outlive the dialogue.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "card/desfire_messaging.h"
#include "card/transport.h"
#include "os/system.h"

namespace warifu::card::desfire {

class Dialogue {
 public:
  struct Answer {
    Status status = Status::kOk;
    secret::Buffer data;  // opened; empty unless the status is kOk
  };
  using Taken = std::function<Result<>(Answer)>;
  using DataTaken = std::function<Result<>(ByteView)>;

  explicit Dialogue(os::Random& random) : random_(random) {}
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  // A command outside of any session. `taken` sees every status.
  void plain(Command command, ByteView data, Taken taken);
  // A command within the session. `taken` sees every status; another one than kOk ended the
  // session.
  void secured(Command command, ByteView header, ByteView data, Comm comm, Taken taken);
  // Ends any session. An error when the card has no such application.
  void select(ApplicationId application);
  // Mutual three-pass authentication. `taken` gets false when card and key do not fit; a wrong
  // proof of the card itself is an error, kRefused.
  void authenticate_ev2(Byte key_number, secret::Buffer key, std::function<Result<>(bool)> taken);
  // For cards that know no EV2; the same.
  void authenticate_aes(Byte key_number, secret::Buffer key, std::function<Result<>(bool)> taken);
  // All of these are errors with any status but kOk. A write must fit the file.
  void read(const Span& span, Comm comm, DataTaken taken);
  void write(FileNumber file, std::uint32_t offset, ByteView data, Comm comm);
  void commit(std::function<Result<>()> taken);
  // Runs `step` in its turn, without the card.
  void then(std::function<Result<>()> step);

  // The first APDU, or the next one behind the card's answer; none when the dialogue is over.
  // Errors: what a step found wrong; kProtocol when the card does not speak DESFire.
  [[nodiscard]] Result<std::optional<secret::Buffer>> begin();
  [[nodiscard]] Result<std::optional<secret::Buffer>> next(ByteView answer);

 private:
  struct Entry {
    Command command = Command::kAdditionalFrame;
    secret::Buffer header;
    secret::Buffer data;
    Comm comm = Comm::kPlain;
    bool is_secured = false;
    bool more_is_answer = false;  // status AF is this command's answer
    Taken taken;
    std::function<Result<>()> step;  // instead of a command
  };

  void queue(Entry entry);
  void first_pass(Command command, ByteView parameters, secret::Buffer key,
                  std::function<Result<>(bool)> taken);
  Result<> second_pass(Command command, const secret::Buffer& key, ByteView enciphered,
                       std::function<Result<>(bool)> taken);
  Result<> finish_ev2(const secret::Buffer& key, const Random16& rnd_a, const Random16& rnd_b,
                      ByteView enciphered);
  Result<> finish_aes(const secret::Buffer& key, const Random16& rnd_a, const Random16& rnd_b,
                      const Random16& iv, ByteView enciphered);
  Result<std::optional<secret::Buffer>> advance();
  Result<secret::Buffer> send_current();
  Result<> take(Status status);

  os::Random& random_;
  std::deque<Entry> waiting_;
  std::deque<Entry> inserted_;
  bool is_taking_ = false;
  std::optional<Entry> current_;
  secret::Buffer frames_;     // of the current command, not sent yet
  secret::Buffer collected_;  // of its answer
  std::unique_ptr<Messaging> session_;
};

// An Error that says what did not work and what the card answered.
[[nodiscard]] std::unexpected<Error> refused(std::string_view what, Status status);

// Runs a dialogue with the card of a session to its end. Errors: the dialogue's and the session's.
[[nodiscard]] Result<> run(Dialogue& dialogue, Session& session);
// One APDU of somebody else's dialogue, and the card's whole answer. Errors: the session's.
[[nodiscard]] Result<secret::Buffer> pass_on(Session& session, ByteView apdu);

}  // namespace warifu::card::desfire
