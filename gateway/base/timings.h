// Timings: how long things take, a histogram each (histogram.h). One object per process, passed by reference; any
// thread may add at any time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gateway/base/histogram.h"

namespace sallyport {

enum class Timing : std::uint8_t {
  mail,           // from MAIL to our last reply
  dns_question,   // asked of a server, until its answer or the end of our patience
  stage_connect,  // look-ups of a stage's checks, all together; in the order of policies::Stage
  stage_helo,
  stage_mail,
  stage_rcpt,
  stage_headers,
  stage_message,
  count_
};

class Timings {
 public:
  void add(Timing what, Duration took) noexcept { all_[std::size_t(what)].add(took); }
  const Histogram& get(Timing what) const noexcept { return all_[std::size_t(what)]; }

 private:
  std::array<Histogram, std::size_t(Timing::count_)> all_{};
};

}  // namespace sallyport
