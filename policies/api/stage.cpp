#include "policies/api/stage.h"

namespace sallyport::policies {

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::connect:
      return "connect";
    case Stage::helo:
      return "helo";
    case Stage::mail:
      return "mail";
    case Stage::rcpt:
      return "rcpt";
    case Stage::headers:
      return "headers";
    case Stage::message:
      return "message";
    case Stage::done:
      return "done";
  }
  return "unknown";
}

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::enforce:
      return "enforce";
    case Mode::shadow:
      return "shadow";
    case Mode::off:
      return "off";
  }
  return "unknown";
}

}  // namespace sallyport::policies
