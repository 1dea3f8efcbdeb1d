#include "gateway/milter_library/system_log.h"

#include <syslog.h>

namespace sallyport::milter_library {

void log_line(Gravity gravity, const std::string& filter, std::string_view what) noexcept {
  const int priority = gravity == Gravity::error ? LOG_ERR : gravity == Gravity::warning ? LOG_WARNING : LOG_INFO;
  ::syslog(priority, "%s: %.*s", filter.c_str(), static_cast<int>(what.size()), what.data());
}

}  // namespace sallyport::milter_library
