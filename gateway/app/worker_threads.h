// WorkerThreads: the threads of the workers, one for each, from before `ready` to the end.
//
// A start that lacks a thread, or the memory that a worker begins with, is to be found out before the gateway says that
// it is ready. So all threads begin first, and wait; let_serve() opens the gate when nothing can fail any more.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gateway/app/worker.h"
#include "gateway/base/result.h"

namespace sallyport::app {

class WorkerThreads {
 public:
  WorkerThreads() : gate_(opening_.get_future().share()) {}
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;
  // Waits for the threads' end; of workers that were not let serve it comes at once.
  ~WorkerThreads();

  // Starts a thread for each worker, and waits until each has begun. `ended` is called on a worker's thread, as the
  // last thing there, when the worker's run() has returned; it does not throw. The workers outlive this object.
  Result<Done> begin(const std::vector<std::unique_ptr<Worker>>& workers, const std::function<void()>& ended);
  // Once, after begin(): the workers serve.
  void let_serve() { open_gate(true); }

 private:
  void open_gate(bool serve);

  std::promise<bool> opening_;
  const std::shared_future<bool> gate_;
  bool is_open_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sallyport::app
