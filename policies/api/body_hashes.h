// The digests of a mail's body that a policy over signatures (DKIM, ARC) asks for, as an observer of the body.
#pragma once

#include <memory>
#include <vector>

#include "gateway/signature/body_hash.h"
#include "policies/api/policy.h"

namespace sallyport::policies {

// Puts the digests of `forms` where `place` says once the body has ended; nothing to observe without any form.
std::unique_ptr<BodyObserver> observe_body_hashes(const std::vector<signature::BodyForm>& forms,
                                                  std::vector<signature::BodyHash>& (*place)(Facts&));

}  // namespace sallyport::policies
