// ensure(): checks invariants, whose violation can only be a bug of ours.
//
// A violation throws BrokenInvariant, which is caught once at the top of a connection; the session answers 421, counts
// and logs it. It is never an assert: an abort would end every session of the process (threats.md I10).
#pragma once

#include <stdexcept>

namespace sallyport {

class BrokenInvariant : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void broken(const char* what) { throw BrokenInvariant(what); }

inline void ensure(bool condition, const char* what_was_broken) {
  if (!condition) [[unlikely]]
    broken(what_was_broken);
}

}  // namespace sallyport
