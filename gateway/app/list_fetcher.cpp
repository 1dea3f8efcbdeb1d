#include "gateway/app/list_fetcher.h"

#include <exception>
#include <utility>

#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "gateway/uv/work_pool.h"

namespace sallyport::app {

namespace {

constexpr Duration looking_interval = std::chrono::seconds(1);
// For all of a list, however long.
constexpr Duration patience = std::chrono::minutes(5);

// What it needs of the worker.
struct Fetching {
  uv::Loop& loop;
  state::UrlLists& lists;
  io::HttpClient& http;
  io::Resolver& resolver;
  Log& log;
};

Task<state::UrlLists::Outcome> fetch(const Fetching& with, std::shared_ptr<state::UrlLists::Live> list,
                                     io::HttpQuestion question) {
  const Time deadline = with.loop.scheduler().now() + patience;
  auto answer = co_await with.http.ask(std::move(question), with.resolver, deadline);
  if (!answer) co_return state::UrlLists::Outcome{answer.error().message, {}, {}};
  state::UrlLists::Taking taking = with.lists.taking(std::move(list), std::move(*answer));
  co_return co_await uv::on_worker(with.loop, std::move(taking));
}

Task<void> fetch_and_note(const Fetching& with, state::UrlLists::Due due) {
  state::UrlLists::Outcome outcome;
  try {
    outcome = co_await fetch(with, due.list, std::move(due.question));
  } catch (const std::exception&) {
    outcome.problem = "there is not enough memory for it";
  }
  with.lists.note(*due.list, outcome, with.loop.scheduler().now(), with.log);
}

}  // namespace

Task<void> fetch_lists_for_ever(uv::Loop& loop, state::UrlLists& lists, io::HttpClient& http, io::Resolver& resolver,
                                Log& log) {
  const Fetching with{loop, lists, http, resolver, log};
  async::Nursery fetching(loop.scheduler());
  while (true) {
    for (state::UrlLists::Due& due : lists.due(loop.scheduler().now())) {
      fetching.spawn(fetch_and_note(with, std::move(due)));
    }
    co_await async::sleep_for(loop.scheduler(), looking_interval);
  }
}

}  // namespace sallyport::app
