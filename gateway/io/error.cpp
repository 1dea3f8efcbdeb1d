#include "gateway/io/error.h"

namespace sallyport::io {

std::string_view name(Error error) {
  switch (error) {
    case Error::closed:
      return "closed";
    case Error::reset:
      return "reset";
    case Error::timed_out:
      return "timed out";
    case Error::refused:
      return "refused";
    case Error::unreachable:
      return "unreachable";
    case Error::truncated:
      return "truncated";
    case Error::tls:
      return "TLS failure";
    case Error::exhausted:
      return "out of resources";
    case Error::no_helper:
      return "the helper process for clients' addresses does not answer";
  }
  return "unknown";
}

}  // namespace sallyport::io
