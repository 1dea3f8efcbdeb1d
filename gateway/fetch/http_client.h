// HttpClient: asks web servers for rules, over the worker's own connections, resolver and TLS. Each question has a
// connection of its own.
//
// A server is found by A records, or by AAAA records where these lead nowhere; "localhost" is this host. TLS is
// verified, by the name of the URL. A redirect is followed only for GET, at most three times, never from https to http,
// and only to hosts that the question allows; any other is the answer itself. A host is asked 32 questions at a time;
// further ones wait for their turn, so that neither descriptors nor memory grow with the mails that wait. Everything
// ends by the deadline.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/async/wait.h"
#include "gateway/base/result.h"
#include "gateway/http/response.h"
#include "gateway/http/url.h"
#include "gateway/io/dialer.h"
#include "gateway/io/http_client.h"
#include "gateway/tls/context.h"

namespace sallyport::fetch {

// Gives the TLS settings for these authorities (empty: the system's); null when they cannot be had. It must not block.
using TlsSource = std::function<Task<std::shared_ptr<const tls::ClientContext>>(std::string ca_file)>;

class HttpClient final : public io::HttpClient {
 public:
  // `dialer` and `scheduler` must outlive this object and its tasks.
  HttpClient(async::Scheduler& scheduler, io::Dialer& dialer, TlsSource tls)
      : scheduler_(scheduler), dialer_(dialer), tls_(std::move(tls)) {}

  Task<Result<io::HttpAnswer>> ask(io::HttpQuestion question, io::Resolver& resolver, Time deadline) override;

 private:
  static constexpr std::size_t most_questions_at_once = 32;  // to one host

  struct Host {
    std::size_t asked = 0;  // questions under way
    std::list<async::Signal*> waiting;
  };
  class Turn;

  Task<Result<http::Response>> ask_once(const io::HttpQuestion& question, const http::Url& url, io::Resolver& resolver,
                                        Time deadline);
  Task<Result<std::unique_ptr<io::Stream>>> connect(const http::Url& url, const std::string& ca_file,
                                                    io::Resolver& resolver, Time deadline);

  async::Scheduler& scheduler_;
  io::Dialer& dialer_;
  const TlsSource tls_;
  std::map<std::string, Host> hosts_;  // those that questions allow, so no stranger makes it long
};

}  // namespace sallyport::fetch
