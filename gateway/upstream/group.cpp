#include "gateway/upstream/group.h"

namespace sallyport::upstream {

smtp::Extensions offer(const UpstreamGroups& groups, const smtp::Extensions& own) {
  std::vector<smtp::Extensions> upstreams;
  for (const auto& [name, group] : groups) {
    for (const auto& server : group->servers) {
      upstreams.push_back(server->extensions().value_or(smtp::Extensions{}));
      upstreams.back().requiretls = group->can_require_tls(upstreams.back());
    }
  }
  return smtp::offer_for(own, upstreams);
}

}  // namespace sallyport::upstream
