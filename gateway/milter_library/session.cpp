#include "gateway/milter_library/session.h"

#include <vector>

#include "gateway/milter/negotiation.h"
#include "gateway/milter_library/connection_address.h"

namespace sallyport::milter_library {

namespace {

using milter::Verb;
using milter::Word;

// A copy of a packet's data that ends with NUL, for callbacks that get C strings.
std::string c_text(std::string_view data) { return std::string(data); }

}  // namespace

bool Session::take(const milter::Packet& packet, SessionHost& host) {
  host_ = &host;
  const bool goes_on = dispatch(packet) && !is_lost_;
  host_ = nullptr;
  if (!goes_on) host.answers.clear();
  return goes_on;
}

bool Session::dispatch(const milter::Packet& packet) {
  const auto verb = static_cast<Verb>(packet.letter);
  switch (verb) {
    case Verb::macros:
      return take_macros(packet.data);
    case Verb::quit:
      return false;
    case Verb::quit_and_reuse:
      quit_and_reuse();
      return true;
    case Verb::abort:
    case Verb::body:
    case Verb::connect:
    case Verb::data:
    case Verb::end_of_header:
    case Verb::end_of_message:
    case Verb::header:
    case Verb::helo:
    case Verb::mail:
    case Verb::negotiate:
    case Verb::rcpt:
    case Verb::unknown:
      break;
    default:
      host_->report("the MTA has sent an unknown command");
      return false;
  }
  if (!may_follow(state_, verb)) {
    call_abort();
    state_ = State::greeted;
    if (!may_follow(state_, verb)) return true;
  }
  if (verb == Verb::negotiate) return negotiate(packet.data);
  is_closed_ = false;
  if (verb == Verb::abort) {
    call_abort();
    state_ = State::greeted;
    return true;
  }
  if (const int stage = MacroStore::stage_of(verb); stage >= 0) macros_.clear_from(stage + 1);
  const State before = state_;
  // Before the callback: if it throws, finish() knows where the message was.
  if (verb != Verb::unknown) state_ = state_after(verb);
  const auto verdict = call(verb, packet.data);
  if (!verdict) {
    state_ = before;
    host_->report("the MTA has sent a malformed command");
    return false;
  }
  settle(verb, answer(verb, *verdict));
  return true;
}

bool Session::take_macros(std::string_view data) {
  if (data.empty()) return false;
  const int stage = MacroStore::stage_of(static_cast<Verb>(data.front()));
  // MTAs may have macros for commands whose macros no filter could ask for.
  if (stage >= 0) macros_.set(stage, data.substr(1));
  return true;
}

std::optional<sfsistat> Session::call(Verb verb, std::string_view data) {
  const smfiDesc& callbacks = host_->filter.callbacks;
  switch (verb) {
    case Verb::connect:
      return call_connect(data);
    case Verb::helo: {
      std::string name = c_text(data);
      if (name.find('\0') == std::string::npos) return std::nullopt;
      return callbacks.xxfi_helo != nullptr ? callbacks.xxfi_helo(context(), name.data()) : SMFIS_CONTINUE;
    }
    case Verb::mail:
      return call_path(callbacks.xxfi_envfrom, data);
    case Verb::rcpt:
      return call_path(callbacks.xxfi_envrcpt, data);
    case Verb::data:
      return callbacks.xxfi_data != nullptr ? callbacks.xxfi_data(context()) : SMFIS_CONTINUE;
    case Verb::header:
      return call_header(data);
    case Verb::end_of_header:
      return callbacks.xxfi_eoh != nullptr ? callbacks.xxfi_eoh(context()) : SMFIS_CONTINUE;
    case Verb::body:
      return call_body(data);
    case Verb::end_of_message:
      return call_end_of_message(data);
    case Verb::unknown: {
      // Sendmail ends the line with NUL, others do not.
      const std::string line = c_text(data);
      return callbacks.xxfi_unknown != nullptr ? callbacks.xxfi_unknown(context(), line.c_str()) : SMFIS_CONTINUE;
    }
    default:
      return std::nullopt;
  }
}

std::optional<sfsistat> Session::call_connect(std::string_view data) {
  if (host_->filter.callbacks.xxfi_connect == nullptr) return SMFIS_CONTINUE;
  auto connection = read_connection_address(data);
  if (!connection) return std::nullopt;
  std::string host(connection->host);
  auto* address = reinterpret_cast<::sockaddr*>(&connection->address);
  return host_->filter.callbacks.xxfi_connect(context(), host.data(), connection->is_known ? address : nullptr);
}

std::optional<sfsistat> Session::call_path(sfsistat (*callback)(SMFICTX*, char**), std::string_view data) {
  // What comes behind the last NUL is no text.
  const std::size_t last_nul = data.rfind('\0');
  if (last_nul == std::string_view::npos) return std::nullopt;
  if (callback == nullptr) return SMFIS_CONTINUE;
  std::string texts = c_text(data.substr(0, last_nul));
  std::vector<char*> words = {texts.data()};
  for (std::size_t end = texts.find('\0'); end != std::string::npos; end = texts.find('\0', end + 1))
    words.push_back(texts.data() + end + 1);
  words.push_back(nullptr);
  return callback(context(), words.data());
}

std::optional<sfsistat> Session::call_header(std::string_view data) {
  milter::DataReader reader(data);
  std::string_view name;
  std::string_view value;
  if (!reader.text(name) || name.empty() || !reader.text(value)) return std::nullopt;
  if (host_->filter.callbacks.xxfi_header == nullptr) return SMFIS_CONTINUE;
  std::string texts = c_text(data);
  return host_->filter.callbacks.xxfi_header(context(), texts.data(), texts.data() + name.size() + 1);
}

sfsistat Session::call_body(std::string_view data) {
  if (host_->filter.callbacks.xxfi_body == nullptr) return SMFIS_CONTINUE;
  // The packet's own memory: it may be written (take()), and it is too much to be copied.
  auto* octets = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(data.data()));
  return host_->filter.callbacks.xxfi_body(context(), octets, data.size());
}

sfsistat Session::call_end_of_message(std::string_view data) {
  if (!data.empty()) {
    // A last piece of the body. A verdict on it is the message's.
    const sfsistat verdict = call_body(data);
    if (verdict != SMFIS_CONTINUE && verdict != SMFIS_SKIP && verdict != SMFIS_NOREPLY) return verdict;
  }
  // The message is the filter's now: no xxfi_abort follows, whatever becomes of the connection.
  state_ = State::greeted;
  if (host_->filter.callbacks.xxfi_eom == nullptr) return SMFIS_CONTINUE;
  struct AtEndOfMessage {
    Session& session;
    explicit AtEndOfMessage(Session& its_session) : session(its_session) { session.is_at_end_of_message_ = true; }
    ~AtEndOfMessage() { session.is_at_end_of_message_ = false; }
  } at_end(*this);
  return host_->filter.callbacks.xxfi_eom(context());
}

void Session::call_abort() {
  if (!is_in_message()) return;
  state_ = State::greeted;
  if (host_->filter.callbacks.xxfi_abort != nullptr) host_->filter.callbacks.xxfi_abort(context());
}

void Session::call_close() {
  if (is_closed_) return;
  is_closed_ = true;
  if (host_->filter.callbacks.xxfi_close != nullptr) host_->filter.callbacks.xxfi_close(context());
  if (filter_data_ != nullptr) host_->report("the filter has left its private data behind at xxfi_close");
}

void Session::quit_and_reuse() {
  call_abort();
  call_close();
  filter_data_ = nullptr;
  macros_.clear_from(0);
  rarities_.reset();
  if (state_ != State::begin) state_ = State::negotiated;
}

void Session::finish(SessionHost& host) noexcept {
  host_ = &host;
  is_lost_ = true;  // what a callback says now, nobody waits for
  try {
    call_abort();
  } catch (...) {
    host.report("xxfi_abort has thrown an exception");
  }
  try {
    call_close();
  } catch (...) {
    host.report("xxfi_close has thrown an exception");
  }
  host_ = nullptr;
}

sfsistat Session::answer(Verb verb, sfsistat verdict) {
  if (!milter::is_answered({milter::newest_version, actions_, wanted_options_}, verb)) {
    if (verdict != SMFIS_NOREPLY && verdict != SMFIS_CONTINUE)
      host_->report("the filter has given a verdict where it wanted to give none");
    // The filter does not answer this command. An MTA that waits for an answer hears that it may go on.
    if (milter::is_answered({milter::newest_version, actions_, options_}, verb))
      milter::encode(host_->answers, Word::go_on);
    return SMFIS_CONTINUE;
  }
  switch (verdict) {
    case SMFIS_CONTINUE:
      milter::encode(host_->answers, Word::go_on);
      break;
    case SMFIS_ACCEPT:
      milter::encode(host_->answers, Word::accept);
      break;
    case SMFIS_DISCARD:
      milter::encode(host_->answers, Word::discard);
      break;
    case SMFIS_SKIP:
      milter::encode(host_->answers, Word::skip);
      break;
    case SMFIS_REJECT:
      answer_refusal(Word::reject, '5');
      break;
    case SMFIS_TEMPFAIL:
      answer_refusal(Word::tempfail, '4');
      break;
    default:  // SMFIS_NOREPLY, and numbers that are none: nothing is said, as from libmilter
      break;
  }
  return verdict;
}

Session::Rarities& Session::rarities() {
  if (!rarities_) rarities_ = std::make_unique<Rarities>();
  return *rarities_;
}

void Session::answer_refusal(Word plain, char code_class) {
  if (!rarities_ || !rarities_->reply.starts_with(code_class)) return milter::encode(host_->answers, plain);
  milter::encode(host_->answers, milter::ReplyText{rarities_->reply});
  rarities_.reset();
}

void Session::settle(Verb verb, sfsistat verdict) {
  const bool is_refusal = verdict == SMFIS_REJECT || verdict == SMFIS_TEMPFAIL || verdict == SMFIS_DISCARD;
  // One recipient's refusal, or that of a command that is none, is not the message's.
  const bool is_of_command_only = verb == Verb::rcpt || verb == Verb::unknown;
  if (verdict == SMFIS_ACCEPT || (is_refusal && !is_of_command_only)) state_ = State::greeted;
}

}  // namespace sallyport::milter_library
