// LineServer: an upstream server for tests of connections, not of mail: it answers each command line by its verb.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/async/wait.h"
#include "gateway/base/text.h"
#include "gateway/io/stream.h"

namespace sallyport::upstream {

class LineServer {
 public:
  // Replies by verb; "" is the greeting.
  std::map<std::string, std::string> replies{
      {"", "220 upstream.example ESMTP\r\n"},
      {"EHLO", "250-upstream.example\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 SIZE 10000000\r\n"},
      {"RSET", "250 2.0.0 Ok\r\n"},
      {"QUIT", "221 2.0.0 Bye\r\n"},
  };
  std::vector<std::string> commands;  // all of all connections
  int connections = 0;

  Task<void> serve(std::unique_ptr<io::Stream> stream) {
    ++connections;
    std::string verb;
    while (true) {
      std::string reply = replies[verb];
      auto sent = co_await stream->write(reply, async::no_deadline);
      if (!sent) co_return;
      if (verb == "QUIT") co_return stream->close();
      std::size_t end;
      while ((end = stream->input().find("\r\n")) == std::string_view::npos) {
        auto more = co_await stream->fill(async::no_deadline);
        if (!more) co_return;
      }
      std::string line(stream->input().substr(0, end));
      stream->consume(end + 2);
      verb = text::to_upper(line.substr(0, line.find(' ')));
      commands.push_back(std::move(line));
    }
  }
};

}  // namespace sallyport::upstream
