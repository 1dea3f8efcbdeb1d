// How commands write numbers for people.
#pragma once

#include <string>

namespace sallyport::cli {

std::string number_text(double value, int digits);
// "1.5 MiB"
std::string octets_text(double value);
// "340 ms", "2.5 s"
std::string time_text(double seconds);
// Of a long time: "0h3m12s", "2d3h4m".
std::string span_text(double seconds);

}  // namespace sallyport::cli
