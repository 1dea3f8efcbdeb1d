#include "gateway/upstream/group.h"

#include <algorithm>

namespace sallyport::upstream {

namespace {

// Sets the extensions that depend on the servers to those of the group's settings.
void promise(const UpstreamGroup& group, smtp::Extensions& extensions) {
  const std::vector<std::string>& keywords = group.settings.extensions.keywords;
  const auto has = [&](std::string_view keyword) {
    return std::find(keywords.begin(), keywords.end(), keyword) != keywords.end();
  };
  extensions.eight_bit_mime = has("8BITMIME");
  extensions.smtputf8 = has("SMTPUTF8");
  extensions.dsn = has("DSN");
  extensions.requiretls = has("REQUIRETLS");
}

}  // namespace

smtp::Extensions offer(const UpstreamGroups& groups, const smtp::Extensions& own) {
  std::vector<smtp::Extensions> upstreams;
  bool all_take_one_recipient = !groups.empty();
  for (const auto& [name, group] : groups) {
    std::vector<smtp::Extensions> known;
    for (const auto& server : group->servers) {
      if (const auto extensions = server->extensions()) known.push_back(*extensions);
    }
    // U12: one never seen does not count unless it is the only one.
    if (known.empty()) known.emplace_back();
    for (smtp::Extensions& extensions : known) {
      if (!group->settings.extensions.is_common) promise(*group, extensions);
      extensions.requiretls = group->can_require_tls(extensions);
    }
    upstreams.insert(upstreams.end(), known.begin(), known.end());
    all_take_one_recipient = all_take_one_recipient && group->takes_one_recipient;
  }
  smtp::Extensions offered = smtp::offer_for(own, upstreams);
  if (all_take_one_recipient) offered.rcpt_max = 1;
  return offered;
}

}  // namespace sallyport::upstream
