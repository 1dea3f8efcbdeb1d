#include "policies/milters/connection.h"

#include <algorithm>
#include <utility>

#include "gateway/async/share.h"
#include "gateway/base/ensure.h"

namespace sallyport::policies {

namespace {

using milter::PacketReader;
using Kind = MilterTrouble::Kind;

// Events without answers leave when there are so many octets of them.
constexpr std::size_t much = std::size_t{128} * 1024;
// Of memory, from one mail to the next.
constexpr std::size_t kept_octets = std::size_t{4} * 1024;
// Of all header changes, recipients and so on of one mail; a new body has a bound of its own.
constexpr std::size_t most_octets_of_changes = std::size_t{4} * 1024 * 1024;
constexpr std::size_t most_changes = 2000;

std::size_t count(const milter::Changes& changes) {
  return changes.header.size() + changes.added_rcpts.size() + changes.deleted_rcpts.size();
}

}  // namespace

constinit const milter::Terms MilterConnection::offered{milter::newest_version, milter::action::all,
                                                        milter::option::all};

MilterTrouble MilterConnection::trouble_of(io::Error error, bool is_first_word) {
  has_failed_ = true;
  if (error == io::Error::timed_out) return {Kind::slow, "timeout", false};
  const bool is_end = error == io::Error::closed || error == io::Error::reset;
  return {Kind::down, is_end ? "it has ended the connection" : std::string(io::name(error)), is_end && is_first_word};
}

MilterTrouble MilterConnection::breach(std::string words) {
  has_failed_ = true;
  return {Kind::protocol, std::move(words), false};
}

bool MilterConnection::add(const milter::Command& event, std::string_view macros) {
  dialogue_.add_event(pending_, event, macros);
  return dialogue_.awaits_answer();
}

Task<Result<Done, MilterTrouble>> MilterConnection::negotiate(MilterPatience patience) {
  pending_ = dialogue_.open();
  auto agreed = co_await answer(patience);
  if (!agreed) co_return std::move(agreed).error();
  co_return Done{};
}

Task<Result<Done, MilterTrouble>> MilterConnection::send(Time deadline) {
  if (pending_.empty()) co_return Done{};
  sending_.swap(pending_);
  // Whoever ends this task meanwhile leaves a packet cut off: nothing more can be said then.
  has_failed_ = true;
  auto sent = co_await stream_->write(sending_, deadline);
  if (!sent) co_return trouble_of(sent.error(), true);
  has_failed_ = false;
  sending_.clear();
  if (sending_.capacity() > kept_octets) sending_.shrink_to_fit();
  co_return Done{};
}

Task<Result<Done, MilterTrouble>> MilterConnection::flush_much(MilterPatience patience) {
  if (pending_.size() < much) co_return Done{};
  co_await async::Share(scheduler_, pending_.size());
  co_return co_await send(std::min(scheduler_.now() + patience.for_answer, patience.until));
}

Task<Result<milter::Outcome, MilterTrouble>> MilterConnection::answer(MilterPatience patience, const BodyTaker* body) {
  // F1: something came that nothing was asked for.
  if (!stream_->input().empty() || reader_.is_in_packet()) co_return breach("an answer that nobody has asked for");
  Time deadline = std::min(scheduler_.now() + patience.for_answer, patience.until);
  auto sent = co_await send(deadline);
  if (!sent) co_return std::move(sent).error();
  std::size_t octets_of_changes = 0;
  bool is_first_word = true;
  while (true) {
    std::string_view arrived = stream_->input();
    const std::size_t before = arrived.size();
    const PacketReader::Status status = arrived.empty() ? PacketReader::Status::want_more : reader_.read(arrived);
    const std::size_t used = before - arrived.size();
    if (status == PacketReader::Status::malformed) co_return breach("a malformed packet");
    if (status == PacketReader::Status::want_more) {
      if (used > 0) stream_->consume(used);
      auto more = co_await stream_->fill(deadline);
      if (!more) co_return trouble_of(more.error(), is_first_word && !reader_.is_in_packet());
      continue;
    }
    is_first_word = false;
    const bool is_body = reader_.packet().letter == static_cast<char>(milter::AnswerLetter::replace_body);
    auto taken = dialogue_.take(reader_.packet());
    stream_->consume(used);  // after take(): the packet may lie in the input
    if (!taken) co_return breach(std::string(name(taken.error())));
    if (*taken) {
      if (!arrived.empty()) co_return breach("a further answer behind the last one");
      has_had_last_word_ = has_had_last_word_ || (*taken)->kind != milter::Outcome::Kind::go_on;
      co_return std::move(**taken);
    }
    if (dialogue_.was_progress()) {
      deadline = std::min(scheduler_.now() + patience.for_answer, patience.until);
      continue;
    }
    if (is_body) {  // an empty one is a body, too
      const auto piece = dialogue_.take_body_piece();
      if (body == nullptr || !piece || !(*body)(*piece)) co_return breach("a new body that is too large or unfit");
      co_await async::Share(scheduler_, used);
      continue;
    }
    octets_of_changes += used;
    if (octets_of_changes > most_octets_of_changes || count(dialogue_.changes()) > most_changes)
      co_return breach("too many changes");
  }
}

void MilterConnection::abort_message() { pending_ += dialogue_.abort_message(); }

bool MilterConnection::end_session() {
  if (has_had_last_word_) return false;
  auto octets = dialogue_.end_session();
  if (!octets) return false;
  pending_ += *octets;
  return true;
}

Task<bool> MilterConnection::settle(Time deadline) {
  auto sent = co_await send(deadline);
  co_return sent.ok();
}

Task<void> MilterConnection::farewell(Time deadline) {
  pending_ += milter::MtaDialogue::quit();
  const std::string last = std::exchange(pending_, {});
  static_cast<void>(co_await stream_->write_last(last, deadline));
}

}  // namespace sallyport::policies
