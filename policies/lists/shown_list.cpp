#include "policies/lists/shown_list.h"

#include "gateway/base/text.h"

namespace sallyport::policies {

std::string describe(ListFailure why, const std::vector<std::string>& codes) {
  switch (why) {
    case ListFailure::no_answer:
      return "no usable answer";
    case ListFailure::list_error:
      return "answered " + text::join(codes, ",") + ", which is an error of the list";
    case ListFailure::budget:
      return "not asked: too many DNS questions";
    case ListFailure::set_aside:
      return "not asked: it did not answer ten times in a row";
    case ListFailure::failed_test:
      return "not asked: it failed its self test";
    case ListFailure::no_time:
      return "not asked: the time for look-ups was used up";
    case ListFailure::name_too_long:
      break;
  }
  return "not asked: the name of the question would be too long";
}

}  // namespace sallyport::policies
