// A filter for tests: writes down each callback, and does in it what the test has put under its name. One at a time, as
// C callbacks have no object of their own. Callbacks may come from several threads; `does` is set while none can.
#pragma once

#include <libmilter/mfapi.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/milter_library/session.h"

namespace sallyport::milter_library {

using Deed = std::function<sfsistat(SMFICTX*)>;

class Callbacks {
 public:
  Callbacks();
  ~Callbacks();
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  smfiDesc description;              // with every callback but xxfi_negotiate
  std::map<std::string, Deed> does;  // by callback: "helo", "eom", ...
  std::vector<std::string> calls;    // "helo client.example"

  // What has been written down since the last time.
  std::vector<std::string> take_calls();
  sfsistat run(const std::string& name, const std::string& line, SMFICTX* context);

 private:
  std::mutex mutex_;  // of `calls`
};

// A session with that filter, and an MTA that speaks with it.
class Exchange : public SessionHost {
 public:
  explicit Exchange(const Callbacks& callbacks)
      : SessionHost(filter_), filter_(*make_filter(callbacks.description)), session_(std::make_unique<Session>()) {}
  ~Exchange() override = default;

  // What the session answers: the octets of the data behind their letters, packets separated by '|'. "(end)" follows
  // when it gives up the connection.
  std::string say(char letter, std::string data = "");
  // The same, as they are on the wire.
  std::string say_raw(char letter, std::string data);
  void end() { session_->finish(*this); }
  // Everything up to the message's MAIL.
  void open(std::uint32_t actions = 0x1ff, std::uint32_t options = 0x1fffff);
  Session& session() { return *session_; }

  bool send() override;
  void report(std::string_view what) override { reports.emplace_back(what); }

  bool is_lost = false;  // sending fails
  std::string sent;
  std::vector<std::string> reports;

 private:
  Filter filter_;
  std::unique_ptr<Session> session_;
};

std::string u32(std::uint32_t number);

}  // namespace sallyport::milter_library
