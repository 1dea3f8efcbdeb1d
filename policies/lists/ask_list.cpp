#include "policies/lists/ask_list.h"

#include <new>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::policies {

namespace {

std::string_view words_of_part(ListPart part) {
  switch (part) {
    case ListPart::ipv4:
      return "IPv4 clients";
    case ListPart::ipv6:
      return "IPv6 clients";
    case ListPart::names:
      break;
  }
  return "names";
}

// What went wrong, in words.
std::string reason_of(const ListFinding& found) {
  if (found.said.status == ListStatus::error) {
    return "answered " + text::join(found.said.codes, ",") + ", which is an error of the list";
  }
  return found.answer->status == dns::Status::timeout ? "no answer in time" : "no usable answer";
}

void log_fault(const DnsList& list, const ListSubject& subject, std::string_view reason, LogLevel level,
               const GatherContext& context) {
  context.counters.add(Fault::dnsbl_error);
  const std::string_view about = subject.part == ListPart::names ? "name" : "ip";
  context.log.write(level, "fault",
                    {{"kind", name(Fault::dnsbl_error)},
                     {"zone", list.name},
                     {about, std::string_view(subject.shown)},
                     {"reason", reason}});
}

void log_change(const DnsList& list, const ListSubject& subject, ListHealth::Change change, const std::string& reason,
                Duration pause, const GatherContext& context) {
  const std::string part(words_of_part(subject.part));
  if (change == ListHealth::Change::closed) {
    const std::string again = "answers again for " + part;
    context.log.write(LogLevel::info, "recovered",
                      {{"kind", name(Fault::dnsbl_error)}, {"zone", list.name}, {"reason", again}});
  } else if (change == ListHealth::Change::opened) {
    log_fault(list, subject,
              std::to_string(ListHealth::failures_to_open) + " failures in a row, asked about " + part +
                  " only every " + to_text(pause) + " from now on; the last: " + reason,
              LogLevel::error, context);
  }
}

// Updates the list's health from an answer that came from the list itself and for this question alone. Of others, which
// another lookup has asked for, that lookup learns; then the turn is given up unsettled.
void learn(const DnsList& list, ListHealth::Turn turn, const ListSubject& subject, const ListFinding& found,
           const GatherContext& context) {
  if (found.answer->from_cache || found.said.status == ListStatus::not_asked) return;
  const Time now = context.scheduler.now();
  const bool has_answered = !found.failure;
  const std::string reason = has_answered ? std::string() : reason_of(found);
  // The health first: a line for which there is no memory must not undo what was learned.
  const Duration pause = found.said.is_refusal ? ListHealth::pause_after_refusal : ListHealth::pause;
  const ListHealth::Change change = has_answered ? turn.answered(now) : turn.failed(now, reason, pause);
  try {
    if (!has_answered) log_fault(list, subject, reason, LogLevel::warning, context);
    log_change(list, subject, change, reason, pause, context);
  } catch (const std::bad_alloc&) {
    context.counters.add(Fault::log);
  }
}

ListFinding not_asked(ListFailure why) { return {{ListStatus::not_asked, {}, false}, why, std::nullopt}; }

}  // namespace

ListFinding finding_of(const DnsList& list, dns::Answer answer) {
  ListFinding found{read_list_answer(answer, list.hits), std::nullopt, std::move(answer)};
  switch (found.said.status) {
    case ListStatus::hit:
    case ListStatus::no_hit:
      break;
    case ListStatus::error:
      found.failure = ListFailure::list_error;
      break;
    case ListStatus::failed:
      found.failure = ListFailure::no_answer;
      break;
    case ListStatus::not_asked:
      found.failure = ListFailure::budget;
      break;
  }
  return found;
}

Task<ListFinding> ask_list(const DnsList& list, ListSubject subject, dns::Question question,
                           const GatherContext& context) {
  if (!list.health.passes_test()) co_return not_asked(ListFailure::failed_test);
  dns::Answer known = co_await context.resolver.lookup(question, Time::min());
  ListFinding found;
  if (known.from_cache) {
    found = finding_of(list, std::move(known));
  } else {
    const Time now = context.scheduler.now();
    if (context.scheduler.is_over(context.deadline)) co_return not_asked(ListFailure::no_time);
    auto turn = list.health.may_ask(subject.part, now);
    if (!turn) {
      const bool is_silent = list.health.passes_test();
      co_return not_asked(is_silent ? ListFailure::set_aside : ListFailure::failed_test);
    }
    dns::Answer answer = co_await context.resolver.lookup(std::move(question), context.deadline);
    found = finding_of(list, std::move(answer));
    learn(list, std::move(*turn), subject, found, context);
  }
  if (found.said.status == ListStatus::hit) list.health.count_hit();
  co_return found;
}

}  // namespace sallyport::policies
