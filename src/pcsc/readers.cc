// Listing readers, waiting for a card, connecting to it.
#include "pcsc/readers.h"

#include <winscard.h>

#include <algorithm>

#include "pcsc/errors.h"

namespace warifu::pcsc {
namespace {

constexpr const char* kService = "card readers";
constexpr DWORD kPollMs = 500;
// The name under which the service tells that readers came or went.
constexpr const char* kPlugAndPlay = R"(\\?PnP?\Notification)";

CardPresence presence_of(DWORD state) {
  if ((state & SCARD_STATE_MUTE) != 0) return CardPresence::kMute;
  if ((state & SCARD_STATE_PRESENT) == 0) return CardPresence::kEmpty;
  if ((state & (SCARD_STATE_EXCLUSIVE | SCARD_STATE_INUSE)) != 0) return CardPresence::kInUse;
  return CardPresence::kPresent;
}

SCARD_READERSTATE state_for(const std::string& name) {
  SCARD_READERSTATE state{};
  state.szReader = name.c_str();
  state.dwCurrentState = SCARD_STATE_UNAWARE;
  return state;
}

}  // namespace

std::string_view presence_name(CardPresence presence) {
  switch (presence) {
    case CardPresence::kEmpty: return "empty";
    case CardPresence::kPresent: return "card";
    case CardPresence::kInUse: return "in use";
    case CardPresence::kMute: return "mute";
  }
  return "unknown";
}

Result<std::unique_ptr<Readers>> Readers::open(os::Clock& clock) {
  SCARDCONTEXT context = 0;
  const LONG code = ::SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
  if (code != SCARD_S_SUCCESS) return std::unexpected(error_of(code, kService));
  return std::unique_ptr<Readers>(new Readers(clock, context));
}

Readers::~Readers() {
  (void)::SCardReleaseContext(context_);
}

Result<std::vector<std::string>> Readers::names() {
  DWORD size = 0;
  LONG code = ::SCardListReaders(context_, nullptr, nullptr, &size);
  std::string list(size, '\0');
  if (code == SCARD_S_SUCCESS) {
    code = ::SCardListReaders(context_, nullptr, list.data(), &size);
  }
  // A reader that came between the two calls is there at the next look.
  if (code == SCARD_E_NO_READERS_AVAILABLE || code == SCARD_E_INSUFFICIENT_BUFFER) {
    return std::vector<std::string>{};
  }
  if (code != SCARD_S_SUCCESS) return std::unexpected(error_of(code, kService));
  list.resize(size);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < list.size() && list[at] != '\0';) {
    names.emplace_back(list.c_str() + at);
    at += names.back().size() + 1;
  }
  return names;
}

Result<std::vector<ReaderStatus>> Readers::list() {
  TRY_ASSIGN(const std::vector<std::string> all, names());
  if (all.empty()) return std::vector<ReaderStatus>{};
  std::vector<SCARD_READERSTATE> states;
  for (const std::string& name : all) states.push_back(state_for(name));
  const LONG code = ::SCardGetStatusChange(context_, 0, states.data(), states.size());
  if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT) {
    return std::unexpected(error_of(code, kService));
  }
  std::vector<ReaderStatus> readers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const SCARD_READERSTATE& state = states[i];
    const std::size_t size = std::min<std::size_t>(state.cbAtr, sizeof state.rgbAtr);
    readers.push_back(
        {all[i], presence_of(state.dwEventState), {state.rgbAtr, state.rgbAtr + size}});
  }
  return readers;
}

Result<std::string> Readers::wait_for_card(const std::string& wanted,
                                           std::chrono::milliseconds timeout,
                                           const KeepWaiting& keep_waiting) {
  const std::chrono::nanoseconds end = clock_.monotonic() + timeout;
  const std::string where = wanted.empty() ? kService : "card reader '" + wanted + "'";
  for (;;) {
    TRY_ASSIGN(const std::vector<ReaderStatus> readers, list());
    for (const ReaderStatus& reader : readers) {
      if (reader.card == CardPresence::kPresent && reader.name.contains(wanted)) return reader.name;
    }
    if (keep_waiting && !keep_waiting()) return fail(Code::kCancelled, where + ": stopped");
    if (clock_.monotonic() >= end) {
      return fail(Code::kTimeout,
                  where + ": no card came within " + std::to_string(timeout.count() / 1000) + " s");
    }
    // Wakes up at once when a card or a reader comes.
    std::vector<SCARD_READERSTATE> states;
    for (const ReaderStatus& reader : readers) states.push_back(state_for(reader.name));
    SCARD_READERSTATE news{};
    news.szReader = kPlugAndPlay;
    states.push_back(news);
    (void)::SCardGetStatusChange(context_, 0, states.data(), states.size());
    for (auto& state : states) state.dwCurrentState = state.dwEventState & ~DWORD{SCARD_STATE_CHANGED};
    const LONG code = ::SCardGetStatusChange(context_, kPollMs, states.data(), states.size());
    const bool gone = code == SCARD_E_UNKNOWN_READER || code == SCARD_E_READER_UNAVAILABLE;
    if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT && !gone) {
      return std::unexpected(error_of(code, where));
    }
  }
}

Result<std::unique_ptr<ReaderCard>> Readers::connect(const std::string& reader) {
  const std::string where = "card reader '" + reader + "'";
  SCARDCONTEXT context = 0;
  LONG code = ::SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context);
  if (code != SCARD_S_SUCCESS) return std::unexpected(error_of(code, kService));
  SCARDHANDLE handle = 0;
  DWORD protocol = 0;
  code = ::SCardConnect(context, reader.c_str(), SCARD_SHARE_EXCLUSIVE,
                        SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &handle, &protocol);
  if (code != SCARD_S_SUCCESS) {
    (void)::SCardReleaseContext(context);
    return std::unexpected(error_of(code, where));
  }
  Bytes atr(MAX_ATR_SIZE);
  DWORD atr_size = atr.size();
  DWORD state = 0;
  code = ::SCardStatus(handle, nullptr, nullptr, &state, nullptr, atr.data(), &atr_size);
  atr.resize(code == SCARD_S_SUCCESS ? std::min<std::size_t>(atr_size, MAX_ATR_SIZE) : 0);
  return std::unique_ptr<ReaderCard>(
      new ReaderCard(where, context, handle, protocol, std::move(atr)));
}

}  // namespace warifu::pcsc
