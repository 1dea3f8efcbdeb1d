// TransparentHelper: the process that makes sockets for connections from clients' addresses (client_info = "tproxy").
//
// Making such a socket takes CAP_NET_RAW or CAP_NET_ADMIN, and what reads octets of strangers has no capabilities
// (threats.md V1). So the start forks a process that keeps this one capability as the user who serves, and that can do
// one thing: it waits for wishes of one octet, "a socket for IPv4" or "for IPv6", makes one, and sends it back
// (uv/transparent_messages.h). It has no other descriptors, so no client, no file and no log; nothing is executed
// (I14). The gateway binds and connects the socket itself, which takes no capability.
//
// It ends when the gateway does: by the end of its channels, and by PR_SET_PDEATHSIG. Signals that a service manager or
// a terminal sends to all processes at once do not end it: mails under way still need it while the gateway drains. When
// it ends before, it cannot be made again without root; each loop notices that.
#pragma once

#include <cstddef>
#include <vector>

#include "gateway/app/privileges.h"
#include "gateway/base/descriptor.h"
#include "gateway/base/result.h"

namespace sallyport::app {

class TransparentHelper {
 public:
  // Forks it and waits until it is ready. Called while this process has one thread and still all its rights. `account`:
  // whom it becomes; null when this is not root. `loops`: how many channels it has.
  static Result<TransparentHelper> start(const Account* account, std::size_t loops);

  // Our end of a channel, for one loop.
  Descriptor take_channel();

 private:
  explicit TransparentHelper(std::vector<Descriptor> channels) : channels_(std::move(channels)) {}

  std::vector<Descriptor> channels_;
};

}  // namespace sallyport::app
