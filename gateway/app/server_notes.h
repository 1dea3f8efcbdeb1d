// ServerNotes: writes down what the servers behind us offer, for the next start (gateway/state/server_memory.h).
#pragma once

#include <map>
#include <string>
#include <utility>

#include "gateway/session/snapshot.h"
#include "gateway/state/server_memory.h"

namespace sallyport::app {

// The registry's form of what the state remembers.
std::vector<upstream::LastWord> last_words(const std::vector<state::RememberedServer>& servers);
// The addresses that names had.
void recall_names(const std::vector<state::RememberedServer>& servers, upstream::NameBook& names);

// Used on one loop.
class ServerNotes {
 public:
  explicit ServerNotes(state::Store& store) : memory_(store) {}

  // Called now and then: writes down what has changed since the last call, and everything once a day.
  void note(const upstream::UpstreamGroups& groups, WallTime now);

 private:
  struct Noted {
    std::string offers;
    WallTime at;
  };

  state::ServerMemory memory_;
  std::map<std::pair<std::string, std::string>, Noted> noted_;  // by upstream and address
};

}  // namespace sallyport::app
