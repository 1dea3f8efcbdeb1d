// Resolver: answers DNS questions. Retries, TCP, protection against spoofing and the cache are the implementation's
// work; the caller does not see them.
#pragma once

#include "gateway/async/task.h"
#include "gateway/base/units.h"
#include "gateway/dns/answer.h"
#include "gateway/dns/question.h"

namespace sallyport::io {

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Always gives an answer: a failure is a status in it (dns::Status). CNAMEs are followed (at most 8, threats.md D3).
  // An answer from the cache is marked as such and costs no budget.
  virtual Task<dns::Answer> lookup(dns::Question question, Time deadline) = 0;
};

}  // namespace sallyport::io
