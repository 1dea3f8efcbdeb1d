#include "gateway/session/path_replies.h"

namespace sallyport::session {

PathRefusal refusal_of(smtp::PathError error, smtp::PathKind kind) {
  std::string_view enhanced = kind == smtp::PathKind::reverse ? "5.1.7" : "5.1.3";
  switch (error) {
    case smtp::PathError::needs_utf8:
      return {Violation::nonascii, 553, "5.6.7", "A non-ASCII address needs SMTPUTF8"};
    case smtp::PathError::bad_utf8:
      return {Violation::nonascii, 501, enhanced, "The address is not valid UTF-8"};
    case smtp::PathError::too_long:
      return {Violation::syntax, 501, enhanced, "The address is too long"};
    case smtp::PathError::syntax:
      break;
  }
  return {Violation::syntax, 501, enhanced, "That is no mail address"};
}

PathRefusal refusal_of(smtp::ParameterError error) {
  switch (error) {
    case smtp::ParameterError::unknown:
      return {Violation::syntax, 555, "5.5.4", "A parameter was not recognized or is not offered here"};
    case smtp::ParameterError::too_large:
      return {Violation::size, 552, "5.3.4", "Message is too large"};
    case smtp::ParameterError::repeated:
      return {Violation::syntax, 501, "5.5.4", "A parameter is given twice"};
    case smtp::ParameterError::bad_value:
      break;
  }
  return {Violation::syntax, 501, "5.5.4", "A parameter has no valid value"};
}

}  // namespace sallyport::session
