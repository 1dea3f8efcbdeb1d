// What is said to a path or a parameter that will not do (threats.md S11, S24-S27).
#pragma once

#include <string_view>

#include "gateway/base/counters.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/path.h"

namespace sallyport::session {

struct PathRefusal {
  Violation kind;
  int code;
  std::string_view enhanced;
  std::string_view text;
};

PathRefusal refusal_of(smtp::PathError error, smtp::PathKind kind);
PathRefusal refusal_of(smtp::ParameterError error);

}  // namespace sallyport::session
