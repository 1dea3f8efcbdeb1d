// when_all() and when_any(): run several tasks concurrently.
//
// Both use a nursery local to the call: when the call returns, or is itself destroyed, no task is left running.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/task.h"
#include "gateway/async/wait.h"

namespace sallyport::async {

namespace detail {

template <class T>
Task<void> store(Task<T> task, std::optional<T>& place) {
  place.emplace(co_await std::move(task));
}

// State shared by the tasks of one when_any() and the coroutine that waits for them.
template <class T>
struct Race {
  explicit Race(Scheduler& scheduler, std::size_t runners) : news(scheduler), running(runners) {}

  Signal news;
  std::size_t running;
  std::optional<std::pair<std::size_t, T>> winner;
  std::exception_ptr first_error;

  bool is_open() const { return !winner && running > 0; }
  std::pair<std::size_t, T> take() {
    if (!winner && first_error) std::rethrow_exception(first_error);
    ensure(winner.has_value(), "when_any: no task gave a result");
    return std::move(*winner);
  }
};

template <class T>
Task<void> compete(Task<T> task, std::size_t index, Race<T>& race) {
  try {
    T value = co_await std::move(task);
    if (!race.winner) race.winner.emplace(index, std::move(value));
  } catch (...) {
    if (!race.first_error) race.first_error = std::current_exception();
  }
  --race.running;
  race.news.notify();
}

}  // namespace detail

// Waits for all tasks; gives their results in the order of the tasks. If tasks throw, the first exception is thrown
// once all have ended.
template <class T>
Task<std::vector<T>> when_all(Scheduler& scheduler, std::vector<Task<T>> tasks) {
  std::vector<std::optional<T>> places(tasks.size());
  Nursery nursery(scheduler);
  for (std::size_t i = 0; i < tasks.size(); ++i) nursery.spawn(detail::store(std::move(tasks[i]), places[i]));
  co_await nursery.join();
  std::vector<T> results;
  results.reserve(places.size());
  for (auto& place : places) results.push_back(std::move(*place));
  co_return results;
}

inline Task<void> when_all(Scheduler& scheduler, std::vector<Task<void>> tasks) {
  Nursery nursery(scheduler);
  for (auto& task : tasks) nursery.spawn(std::move(task));
  co_await nursery.join();
}

// Gives the first result and the index of its task; the other tasks are destroyed where they wait. A task that throws
// does not win; when all have thrown, the first exception is thrown. `tasks` must not be empty.
template <class T>
Task<std::pair<std::size_t, T>> when_any(Scheduler& scheduler, std::vector<Task<T>> tasks) {
  ensure(!tasks.empty(), "when_any: of nothing");
  detail::Race<T> race(scheduler, tasks.size());
  Nursery nursery(scheduler);
  for (std::size_t i = 0; i < tasks.size() && race.is_open(); ++i) {
    nursery.spawn(detail::compete(std::move(tasks[i]), i, race));
  }
  while (race.is_open()) co_await race.news.wait();
  co_return race.take();
}

}  // namespace sallyport::async
