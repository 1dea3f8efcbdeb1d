// BDAT (RFC 3030): content in counted chunks. The octets of a chunk follow its command at once, so a chunk that is
// refused is read all the same, and one whose length cannot be known ends the session: there is no telling where the
// next command begins.
#include <algorithm>

#include "gateway/session/session.h"

namespace sallyport::session {

using smtp::Permission;
using smtp::Reply;

Task<Flow> Session::on_bdat(const smtp::Command& command) {
  auto chunk = smtp::parse_bdat(command.arguments);
  if (command.is_malformed || !chunk) co_return refuse(refusals::bdat_syntax);
  const smtp::Bdat bdat = *chunk;

  if (!sequence_.is_extended() || sequence_.may(smtp::Verb::bdat) != Permission::go) {
    const Refusal& refusal = sequence_.chunks_failed() ? refusals::after_failed_chunk : refusals::out_of_order;
    const Reply answer = reply_to(refusal, "BDAT");
    note(refusal, answer, {});
    if (co_await discard_chunk(bdat, answer) == Flow::end) co_return Flow::end;
    co_return count_error();
  }
  if (!sequence_.in_chunks()) {
    begin_content();
    mail_->chunks = std::make_unique<smtp::ChunkReader>(smtp::ContentLimits{mail_settings().limits.text_line});
    sequence_.chunk_begun();
  }
  if (++mail_->chunk_count > mail_settings().limits.bdat_chunks) co_return refuse(refusals::chunk_flood);

  // S31: nothing is allocated by announced size, and far too much is not even read.
  const std::uint64_t most = max_size();
  if (bdat.octets > most - std::min(most, mail_->message->octets())) {
    const Reply answer = reply_to(refusals::message_too_large);
    note(refusals::message_too_large, answer, {});
    co_return co_await discard_chunk(bdat, answer);
  }

  auto read = co_await read_chunk(bdat.octets, content_deadline(), true);
  if (!read) co_return handle_lost_client(read.error());
  if (!bdat.last) {
    say(Reply(250, "2.0.0", std::to_string(bdat.octets) + " octets received"));
    co_return bdat.octets == 0 ? count_junk() : Flow::next;
  }
  mail_->chunks->finish(*mail_->intake);
  const smtp::ContentFaults faults = mail_->chunks->faults();
  co_return co_await end_of_data(faults);
}

Task<Result<Done, io::Error>> Session::read_chunk(std::uint64_t octets, Time deadline, bool keep) {
  if (keep) mail_->chunks->begin_chunk(octets);
  enter(Phase::content);
  ContentPace of_no_mail(settings());
  ContentPace& pace = mail_ ? mail_->pace : of_no_mail;
  std::uint64_t left = octets;
  while (left > 0) {
    std::string_view input = channel_.input();
    std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size()));
    if (keep && taken > 0) mail_->chunks->read(input.substr(0, taken), *mail_->intake);
    host_.counters.add(Total::octets_received, taken);
    channel_.consume(taken);
    pace.came(taken);
    if (keep) weigh_content();
    left -= taken;
    if (left == 0) break;
    auto more = co_await wait_for_content(pace, deadline);
    if (!more) co_return more;
  }
  co_return Done{};
}

// S33: a refused chunk is read all the same, and those after it up to LAST are refused; then the transaction is gone.
Task<Flow> Session::discard_chunk(smtp::Bdat chunk, Reply answer) {
  std::uint64_t octets = chunk.octets;
  if (mail_) octets = mail_->discarded_octets += octets;
  const bool is_worth_reading = (octets + 1) / 2 <= max_size();  // S31: twice the limit, by all its chunks (R19)
  if (is_worth_reading) {
    auto read = co_await read_chunk(chunk.octets, content_deadline(), false);
    if (!read) co_return handle_lost_client(read.error());
  }
  channel_.queue(answer);
  if (chunk.last) {
    end_mail();
  } else {
    sequence_.chunk_failed();
  }
  co_return is_worth_reading ? Flow::next : Flow::end;
}

}  // namespace sallyport::session
