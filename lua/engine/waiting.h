// Waiting: what one run of a rule waits for, and how functions of ours make it wait.
//
// To the rule a lookup is a plain call. The function starts the request; when the answer is there at once, it returns
// like any other. Otherwise it yields: the yield goes up through whatever calls the rule has made, Run::go_on()
// returns, and the coroutine of the gathering waits for news. Then it calls go_on() again, and the function returns the
// answer. That works inside pcall and coroutines; where Lua cannot yield it is an error (check_can_wait).
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/wait.h"
#include "lua/engine/request.h"

namespace sallyport::lua {

class Waiting {
 public:
  // `context` must outlive this object.
  explicit Waiting(const policies::GatherContext& context) : context_(context), news_(context.scheduler) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  // Starts asking; the request may be done when this returns. It is kept until release().
  Request& start(std::unique_ptr<Request> request);
  void release(const Request& request);
  // How many have been started.
  std::size_t started() const { return started_; }

  // Returns `notified` when a request has been done since, `timed_out` at this time. The requests themselves have until
  // the deadline of the context; where that is over, each is done at once.
  async::Signal::Awaiter news(Time until) { return news_.wait(until); }
  // Throws what a request has thrown.
  void check() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  // What was asked of the DNS so far; the record is empty then.
  std::vector<dns::Evidence> take_record() { return std::move(record_); }

 private:
  static Task<void> ask(Waiting& self, Request& request);

  const policies::GatherContext& context_;
  async::Signal news_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<dns::Evidence> record_;
  std::size_t started_ = 0;
  std::exception_ptr failure_;
  std::optional<async::Nursery> asking_;  // last, so that it is destroyed before what its tasks use
};

// Raises an error unless the run may wait here. For functions that will call wait_for(), before they do anything else.
Waiting& check_can_wait(lua_State* L);
// For a function with `waits` in the binding table: starts the request, and gives its values as the function's results.
// To be called as `return wait_for(L, std::move(request));`.
int wait_for(lua_State* L, std::unique_ptr<Request> request);

}  // namespace sallyport::lua
