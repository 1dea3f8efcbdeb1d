// What an exception says, for the log: in words of ours, never a peer's.
#pragma once

#include <exception>
#include <string>

namespace sallyport {

inline std::string description_of(const std::exception_ptr& mistake) {
  try {
    std::rethrow_exception(mistake);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown";
  }
}

}  // namespace sallyport
