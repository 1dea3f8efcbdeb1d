#include "gateway/resolver/resolver.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/resolver/follow.h"

namespace sallyport::resolver {

namespace {

// How long each server in turn is waited for, in fifths of the timeout; the last gets what is left.
constexpr std::array<int, 2> patience_fifths{1, 2};
// How long another resolver's answer may be on its way to this one's thread.
constexpr Duration time_to_post = std::chrono::milliseconds(500);
constexpr std::size_t most_silences = patience_fifths.size() + 1;

dns::Answer answer_of(dns::Status status) {
  dns::Answer answer;
  answer.status = status;
  return answer;
}

// An answer for which nobody was asked.
dns::Answer unasked(dns::Status status) {
  dns::Answer answer = answer_of(status);
  answer.from_cache = true;
  return answer;
}

void normalise(std::string& name) {
  for (char& c : name) c = text::lower(c);
  if (name.ends_with('.')) name.pop_back();
}

// The state of waiting for another resolver's answer.
struct FromOthers {
  explicit FromOthers(async::Scheduler& scheduler) : signal(scheduler) {}
  void tell(SharedQueries::Answer found, SharedQueries::News whose) {
    answer = std::move(found);
    news = std::move(whose);
    is_told = true;
    signal.notify();
  }

  async::Signal signal;
  SharedQueries::Answer answer;
  SharedQueries::News news;
  bool is_told = false;
};

}  // namespace

Resolver::Resolver(async::Scheduler& scheduler, io::DatagramDialer& datagrams, io::Dialer& connections, Cache& cache,
                   const ResolverSettings& settings, Counters& counters, Log& log)
    : scheduler_(scheduler),
      cache_(cache),
      recorder_(counters, log),
      settings_(settings),
      transport_{datagrams, connections, recorder_, entropy_, settings.use_0x20},
      in_flight_(0, KeyedHash(entropy_.next(), entropy_.next())),
      questions_(scheduler) {
  ensure(!settings_.servers.empty(), "resolver: no server to ask");
}

void Resolver::ask_with_others(SharedQueries& others, Post post) {
  others_ = &others;
  post_ = std::move(post);
}

Task<dns::Answer> Resolver::lookup(dns::Question question, Time deadline) {
  normalise(question.name);
  if (auto known = cache_.find(question, scheduler_.now())) {
    recorder_.note(Total::dns_cache_hits);
    co_return std::move(*known);
  }
  if (!dns::is_askable(question.name)) co_return unasked(dns::Status::nxdomain);
  if (scheduler_.is_over(deadline)) co_return answer_of(dns::Status::timeout);
  Waiter waiter(scheduler_);
  if (!wait_for(question, waiter)) co_return unasked(dns::Status::servfail);
  if (!waiter.answer && !waiter.mistake) co_await waiter.news.wait(deadline);
  if (waiter.mistake) std::rethrow_exception(waiter.mistake);
  if (!waiter.answer) co_return late_answer(question);
  dns::Answer answer = *waiter.answer;
  answer.from_cache = !waiter.is_news;
  co_return answer;
}

// `timeout`, for a lookup whose deadline has passed: news once, if the servers are asked for this resolver.
dns::Answer Resolver::late_answer(const dns::Question& question) {
  dns::Answer late = answer_of(dns::Status::timeout);
  const auto asked = in_flight_.find(question);
  const bool is_news = asked != in_flight_.end() && asked->second.is_news;
  late.from_cache = !is_news || std::exchange(asked->second.is_told_as_late, true);
  return late;
}

bool Resolver::wait_for(const dns::Question& question, Waiter& waiter) {
  if (auto known = in_flight_.find(question); known != in_flight_.end()) {
    known->second.waiters.push_back(waiter);
    return true;
  }
  if (in_flight_.size() >= settings_.max_in_flight) {
    recorder_.note(Fault::dns_error, "too many questions under way");
    return false;
  }
  // The waiter is added first, because the question may be answered before spawn() returns.
  Task<void> task = answer_waiters(question);
  in_flight_[question].waiters.push_back(waiter);
  try {
    questions_.spawn(std::move(task));
  } catch (...) {
    in_flight_.erase(question);  // otherwise later lookups would wait for a task that does not exist
    throw;
  }
  return true;
}

Task<void> Resolver::answer_waiters(dns::Question question) {
  std::shared_ptr<const dns::Answer> answer;
  std::exception_ptr mistake;
  try {
    answer = co_await (others_ ? find_with_others(question) : find_and_keep(question));
  } catch (const std::exception& error) {
    recorder_.note(Fault::internal, error.what());
    mistake = std::current_exception();
  }
  auto place = in_flight_.extract(question);
  InFlight& asked = place.mapped();
  bool is_news = answer && asked.is_news && !(asked.is_told_as_late && answer->failed());
  while (!asked.waiters.empty()) {
    auto& waiter = static_cast<Waiter&>(*asked.waiters.front());
    waiter.unlink();
    waiter.answer = answer;
    waiter.mistake = mistake;
    waiter.is_news = std::exchange(is_news, false);
    waiter.news.notify();
  }
}

Task<std::shared_ptr<const dns::Answer>> Resolver::find_with_others(dns::Question question) {
  // The other may need all of its time, and its answer has to be posted then.
  const Time deadline = scheduler_.now() + settings_.timeout + time_to_post;
  while (true) {
    // The posted function may run after this task has ended; the weak pointer is null then.
    auto heard = std::make_shared<FromOthers>(scheduler_);
    SharedQueries::Part part = others_->take_part(
        question, [this, weak = std::weak_ptr(heard)](SharedQueries::Answer answer, SharedQueries::News news) {
          post_([weak, answer = std::move(answer), news = std::move(news)]() mutable {
            if (auto waiting = weak.lock()) waiting->tell(std::move(answer), std::move(news));
          });
        });
    if (part.is_to_ask()) {
      // Another worker may have found the answer since lookup() searched the cache.
      if (auto known = cache_.find(question, scheduler_.now())) {
        auto answer = std::make_shared<const dns::Answer>(std::move(*known));
        part.settle(answer, nullptr);
        co_return answer;
      }
      auto answer = co_await find_and_keep(question);
      const InFlight& asked = in_flight_.find(question)->second;
      const bool is_left = asked.waiters.empty() && !(asked.is_told_as_late && answer->failed());
      part.settle(answer, asked.is_news && is_left ? std::make_shared<std::atomic_flag>() : nullptr);
      co_return answer;
    }
    while (!heard->is_told && scheduler_.now() < deadline) co_await heard->signal.wait(deadline);
    if (heard->answer) {
      InFlight& asked = in_flight_.find(question)->second;
      asked.is_news = heard->news && !asked.waiters.empty() && !heard->news->test_and_set();
      co_return heard->answer;
    }
    if (!heard->is_told) co_return std::make_shared<const dns::Answer>(answer_of(dns::Status::timeout));
    // The resolver that asked has given up without an answer; try again, perhaps asking ourselves.
  }
}

Task<std::shared_ptr<const dns::Answer>> Resolver::find_and_keep(dns::Question question) {
  InFlight& asked = in_flight_.find(question)->second;
  asked.is_news = true;
  dns::Answer found = co_await find_out(question, scheduler_.now() + settings_.timeout, asked);
  auto answer = std::make_shared<const dns::Answer>(std::move(found));
  // A shortage is over at any moment: it is not kept.
  if (asked.is_news) {
    keep(question, *answer);
  } else {
    recorder_.note(Fault::resource, "no socket for a DNS question: open files, ports or memory are short");
  }
  co_return answer;
}

Task<dns::Answer> Resolver::find_out(dns::Question question, Time deadline, InFlight& asked) {
  Chain chain;
  chain.name = text::to_lower(dns::apply_case(question.name, 0));
  while (true) {
    Heard heard = co_await ask_servers(question, deadline, asked);
    if (heard.kind == Heard::Kind::silence) co_return answer_of(dns::Status::timeout);
    if (heard.kind != Heard::Kind::answer) co_return answer_of(dns::Status::servfail);
    if (auto answer = follow(heard.response, question.type, chain)) co_return std::move(*answer);
    question.name = chain.name;
  }
}

// Asks until a server answers, all have failed, or the time is up. If some failed and some were silent, the result is
// `failure`, which tells more. If one could not be asked for want of a socket and no other has answered, the result is
// `unasked`, and no news: with the socket there might have been an answer.
Task<Heard> Resolver::ask_servers(const dns::Question& question, Time deadline, InFlight& asked) {
  const std::size_t servers = settings_.servers.size();
  const Duration fifth = (deadline - scheduler_.now()) / 5;
  std::vector<bool> has_failed(servers);
  std::size_t failures = 0;
  std::size_t silences = 0;
  bool use_edns = true;
  std::size_t server = first_server_;
  while (failures < servers && silences < most_silences && !scheduler_.is_over(deadline)) {
    if (!has_failed[server]) {
      Time patience = deadline;
      if (silences < patience_fifths.size()) {
        patience = std::min(deadline, scheduler_.now() + fifth * patience_fifths[silences]);
      }
      const Time began = scheduler_.now();
      Heard heard = co_await ask_server(transport_, settings_.servers[server], question, use_edns, patience, deadline);
      if (heard.kind != Heard::Kind::unasked) recorder_.note(Timing::dns_question, scheduler_.now() - began);
      if (heard.kind == Heard::Kind::answer) {
        first_server_ = server;
        asked.is_news = true;
        co_return heard;
      }
      if (heard.kind == Heard::Kind::unasked) asked.is_news = false;
      if (heard.kind == Heard::Kind::silence) {
        ++silences;
      } else {
        has_failed[server] = true;
        ++failures;
      }
    }
    server = (server + 1) % servers;
  }
  if (!asked.is_news) co_return Heard{Heard::Kind::unasked, {}};
  co_return Heard{failures > 0 ? Heard::Kind::failure : Heard::Kind::silence, {}};
}

// Records and caches the result of a question.
void Resolver::keep(const dns::Question& question, const dns::Answer& answer) {
  Time now = scheduler_.now();
  if (!answer.failed()) {
    cache_.put(question, answer, now, now + answer.ttl);
    return;
  }
  if (answer.status == dns::Status::timeout) {
    recorder_.note(Fault::dns_timeout, "no name server has answered in time");
  } else {
    recorder_.note(Fault::dns_error, "no name server has given a proper answer");
  }
  cache_.put(question, answer, now, now + settings_.failure_ttl);
}

}  // namespace sallyport::resolver
