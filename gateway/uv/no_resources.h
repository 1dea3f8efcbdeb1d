// NoResources: the kernel does not give what a loop or a watcher of it needs: descriptors, memory. A start that meets
// it ends with a sentence; it is no mistake of the program.
#pragma once

#include <stdexcept>

namespace sallyport::uv {

class NoResources : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sallyport::uv
