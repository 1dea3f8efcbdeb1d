// Request: something that a rule has asked for and waits for, such as a DNS answer. A library that waits has a class of
// its own for what it asks; waiting.h starts it, and wakes the rule.
#pragma once

#include <vector>

#include "gateway/async/task.h"
#include "gateway/dns/answer.h"
#include "lua/engine/lua_api.h"
#include "policies/api/gathering.h"

namespace sallyport::lua {

class Request {
 public:
  virtual ~Request() = default;

  // Finds out what was asked, and keeps it. Ends by the deadline of the context. The task may be destroyed while it
  // waits; the request outlives it.
  virtual Task<void> ask(const policies::GatherContext& context) = 0;
  // Pushes what the rule gets: by custom a value, and an error where there is none. Returns how many values.
  virtual int push(lua_State* L) = 0;
  // Adds what was asked of the DNS, with the answer, to the record of the run. Called once, when the request is done.
  virtual void record(std::vector<dns::Evidence>&) const {}

  bool is_done() const { return is_done_; }

 private:
  friend class Waiting;
  bool is_done_ = false;
};

}  // namespace sallyport::lua
