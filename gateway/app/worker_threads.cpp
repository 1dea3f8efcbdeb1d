#include "gateway/app/worker_threads.h"

#include <pthread.h>

#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "gateway/app/start_limits.h"
#include "gateway/base/blocked_signals.h"

namespace sallyport::app {

namespace {

// What a worker's begin() threw; null: nothing.
using Beginning = std::promise<std::exception_ptr>;

void live(Worker& worker, Beginning& begun, const std::shared_future<bool>& gate, const std::function<void()>& ended) {
  std::exception_ptr problem;
  try {
    worker.begin();
  } catch (...) {
    problem = std::current_exception();
  }
  begun.set_value(problem);
  if (!gate.get()) return;
  worker.run();
  ended();
}

}  // namespace

Result<Done> WorkerThreads::begin(const std::vector<std::unique_ptr<Worker>>& workers,
                                  const std::function<void()>& ended) {
  std::vector<std::future<std::exception_ptr>> beginnings;
  threads_.reserve(workers.size());
  const BlockedSignals blocked;  // in the workers' threads
  try {
    for (const auto& worker : workers) {
      auto begun = std::make_shared<Beginning>();
      beginnings.push_back(begun->get_future());
      threads_.emplace_back(
          [worker = worker.get(), begun, gate = gate_, ended, name = "worker" + std::to_string(threads_.size() + 1)] {
            ::pthread_setname_np(::pthread_self(), name.c_str());
            live(*worker, *begun, gate, ended);
          });
    }
  } catch (const std::system_error& error) {
    return too_few_threads(workers.size(), threads_.size(), error.code().message().c_str());
  }
  std::exception_ptr problem;
  for (auto& beginning : beginnings) {
    if (auto one = beginning.get()) problem = std::move(one);
  }
  if (problem) std::rethrow_exception(problem);
  return Done{};
}

void WorkerThreads::open_gate(bool serve) {
  if (!std::exchange(is_open_, true)) opening_.set_value(serve);
}

WorkerThreads::~WorkerThreads() {
  open_gate(false);
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace sallyport::app
