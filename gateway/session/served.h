// Served: a connection that a worker serves, whatever is spoken on it, from its first octet to its last. The worker
// knows no more of it than this: how to run it, and how to bring it to its end (threats.md R12).
#pragma once

#include "gateway/async/task.h"
#include "gateway/session/look.h"

namespace sallyport::session {

class Served {
 public:
  virtual ~Served() = default;
  // The whole dialogue. Never throws.
  virtual Task<void> run() = 0;
  // The gateway shuts down: ends where nothing is lost by it, else when the mail under way is over.
  virtual void request_stop() = 0;
  // The waiting is over: the caller has destroyed the coroutine of run() where it waited, and awaits this one instead.
  // The mail under way gets its record, before the first wait. Never throws.
  virtual Task<void> break_off() = 0;
  // After request_stop(): waiting any longer serves no mail whose content is coming or has come.
  virtual bool holds_up_for_nothing() const = 0;
  // There is a mail that break_off() would cut off: nobody has told its client yet that the gateway shuts down.
  virtual bool has_mail_to_cut() const = 0;
  // Under pressure (threats.md R3), asked now and then: true when its peer has let us wait for longer than it may then.
  // The caller ends run() where it waits, and awaits break_off(), which tells the peer so.
  virtual bool gives_way() { return false; }
  // What it is doing now, for people. Costs less than a microsecond: the caller looks at thousands of them.
  virtual Look look() const = 0;
};

}  // namespace sallyport::session
