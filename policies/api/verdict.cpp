#include "policies/api/verdict.h"

namespace sallyport::policies {

std::string_view name(Action action) {
  switch (action) {
    case Action::none:
      return "none";
    case Action::accept:
      return "accept";
    case Action::tag:
      return "tag";
    case Action::quarantine:
      return "quarantine";
    case Action::discard:
      return "discard";
    case Action::tempfail:
      return "tempfail";
    case Action::reject:
      return "reject";
    case Action::drop:
      return "drop";
  }
  return "unknown";
}

Verdict Verdict::reject(std::string_view dsn, std::string_view text, int code) {
  Verdict verdict;
  verdict.action = Action::reject;
  verdict.code = code;
  verdict.dsn = dsn;
  verdict.text = text;
  return verdict;
}

Verdict Verdict::tempfail(std::string_view dsn, std::string_view text, int code) {
  Verdict verdict = reject(dsn, text, code);
  verdict.action = Action::tempfail;
  return verdict;
}

}  // namespace sallyport::policies
