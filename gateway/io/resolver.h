// Resolver: questions in, answers out. Whoever asks need not know of retries, TCP, spoofing or caches.
#pragma once

#include "gateway/async/task.h"
#include "gateway/base/units.h"
#include "gateway/dns/answer.h"
#include "gateway/dns/question.h"

namespace sallyport::io {

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Always gives an answer: what went wrong is a status in it (dns::Status), not an error beside it. CNAMEs are
  // followed (at most 8, threats.md D3). An answer from the cache says so and costs no budget.
  virtual Task<dns::Answer> lookup(dns::Question question, Time deadline) = 0;
};

}  // namespace sallyport::io
