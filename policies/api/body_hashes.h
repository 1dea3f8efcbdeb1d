// The digests of a mail's body that a policy over signatures (DKIM, ARC) asks for, as an observer of the body.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "gateway/signature/body_hash.h"
#include "policies/api/policy.h"

namespace sallyport::policies {

// Puts what was found where the policy has its facts.
using KeepBodyHashes = std::function<void(Facts&, std::vector<signature::BodyHash>)>;

// `keep` is called once the body has ended. Without any form there is nothing to observe: a null pointer.
std::unique_ptr<BodyObserver> observe_body_hashes(const std::vector<signature::BodyForm>& forms, KeepBodyHashes keep);

}  // namespace sallyport::policies
