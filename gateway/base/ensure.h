// Broken invariants: what can only be a mistake of ours.
//
// They are exceptions, caught once at the top of a connection, which answers 421, counts and logs. They are never
// asserts: an abort would end every session of the process (threats.md I10).
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
