#include "policies/in_public.h"

#include "policies/lists/list_name.h"

namespace sallyport::policies {

namespace {

constexpr SecretNames names[] = {{"policy.dnsbl.zones.*", public_zone_name},
                                 {"policy.url_lists.zones.*", public_zone_name}};

}  // namespace

std::span<const SecretNames> secret_names() { return names; }

}  // namespace sallyport::policies
