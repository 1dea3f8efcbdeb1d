#include "lua/engine/waiting.h"

#include <utility>

#include "lua/engine/context.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_requests = 200;  // of one run
constexpr std::uint64_t request_steps = 20;

int finish_wait(lua_State* L, int status, lua_KContext request);

// The function has made its request; it yields until that is done.
int wait(lua_State* L, Request* request) {
  Context& context = Context::of(L);
  if (!request->is_done()) {
    context.host_yield = HostYield::waits;
    context.awaited = request;
    return lua_yieldk(L, 0, reinterpret_cast<lua_KContext>(request), guarded_continuation<finish_wait>);
  }
  const int results = request->push(L);
  context.waiting->release(*request);
  return results;
}

// Lua calls it when the run goes on, which may be because of another request.
int finish_wait(lua_State* L, int, lua_KContext request) { return wait(L, reinterpret_cast<Request*>(request)); }

}  // namespace

Request& Waiting::start(std::unique_ptr<Request> request) {
  if (!asking_) asking_.emplace(context_.scheduler);
  ++started_;
  Request& started = *requests_.emplace_back(std::move(request));
  asking_->spawn(ask(*this, started));
  return started;
}

// Nothing may be thrown out of it: it begins inside a call of Lua's.
Task<void> Waiting::ask(Waiting& self, Request& request) {
  try {
    co_await request.ask(self.context_);
    request.record(self.record_);
  } catch (...) {
    self.failure_ = std::current_exception();
  }
  request.is_done_ = true;
  self.news_.notify();
}

void Waiting::release(const Request& request) {
  std::erase_if(requests_, [&](const auto& one) { return one.get() == &request; });
}

Waiting& check_can_wait(lua_State* L) {
  const Context& context = Context::of(L);
  if (!context.waiting) luaL_error(L, "a rule can wait only while it runs for a mail, not while its file loads");
  if (!context.can_yield || !lua_isyieldable(L)) {
    luaL_error(L,
               "a rule cannot wait here, inside a function that Lua's library calls: a comparison of table.sort, a "
               "replacement of string.gsub, a __tostring or the like");
  }
  if (context.waiting->started() >= most_requests) luaL_error(L, "more than 200 lookups in one run");
  return *context.waiting;
}

int wait_for(lua_State* L, std::unique_ptr<Request> request) {
  Waiting& waiting = check_can_wait(L);
  Context::of(L).meter.spend(L, request_steps);
  return wait(L, &waiting.start(std::move(request)));
}

}  // namespace sallyport::lua
