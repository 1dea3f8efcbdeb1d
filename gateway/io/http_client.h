// HttpClient: asks a web server one question, by HTTP or HTTPS, for rules.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/base/result.h"
#include "gateway/base/units.h"
#include "gateway/io/resolver.h"

namespace sallyport::io {

struct HttpQuestion {
  bool is_post = false;
  std::string url;                                           // "https://host:port/path?query"
  std::vector<std::pair<std::string, std::string>> headers;  // whose names and values have no controls
  std::string body;
  // Where the server may send us on to: "host" (any port) or "host:port". Nowhere else.
  std::vector<std::string> hosts;
  std::string ca_file;                             // authorities that certificates are verified by; empty: the system's
  std::size_t most_octets = std::size_t{1} << 20;  // of the answer's content
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, in order
  std::string body;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // Certificates are always verified. The failure is a word of ours, and what it is about: "timeout", "dns: nxdomain",
  // "connect: refused", "tls: ...", "too_large", "bad_response: ...". `resolver` must outlive the task.
  virtual Task<Result<HttpAnswer>> ask(HttpQuestion question, Resolver& resolver, Time deadline) = 0;
};

}  // namespace sallyport::io
