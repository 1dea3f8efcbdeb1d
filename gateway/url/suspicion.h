// Suspicion: which URLs of a mail to look at first when not all can be looked at.
#pragma once

#include <vector>

#include "gateway/url/url_set.h"

namespace sallyport::url {

// The URLs, the most suspicious first: links that show another domain than they lead to; then what is written to
// deceive (user information, percent-encoded or invisible characters in the host, addresses as numbers); then forms,
// links, texts, header fields, names without a scheme, pictures. Equal ones stay in their order. The pointers are valid
// as long as `urls` is not changed.
std::vector<const Found*> by_suspicion(const std::vector<Found>& urls);

}  // namespace sallyport::url
