// Scores as people read them: in the log, in X-Sallyport-Verdict, in `explain`.
#pragma once

#include <string>

namespace sallyport {

// At most three decimals, without trailing zeros and without an exponent: "8", "2.5", "-0.125". A sum of scores shows
// no more than was put in: 0.1 and 0.2 are "0.3".
std::string score_text(double score);

}  // namespace sallyport
