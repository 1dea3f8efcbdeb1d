// FreshResolver: asks the DNS itself where the cache has an answer. For tests of whether somebody answers as he should
// by now: what he said before is in the cache for as long as he has said.
#pragma once

#include <utility>

#include "gateway/base/text.h"
#include "gateway/io/resolver.h"
#include "gateway/resolver/cache.h"

namespace sallyport::app {

class FreshResolver final : public io::Resolver {
 public:
  // Both outlive it.
  FreshResolver(io::Resolver& resolver, resolver::Cache& cache) : resolver_(resolver), cache_(cache) {}

  Task<dns::Answer> lookup(dns::Question question, Time deadline) override {
    forget(question);
    co_return co_await resolver_.lookup(std::move(question), deadline);
  }

 private:
  void forget(dns::Question question) {
    for (char& c : question.name) c = text::lower(c);
    if (question.name.ends_with('.')) question.name.pop_back();
    // An answer that has expired long ago takes the place of what is kept.
    cache_.put(question, dns::Answer{}, Time::min(), Time::min() + Duration(1));
  }

  io::Resolver& resolver_;
  resolver::Cache& cache_;
};

}  // namespace sallyport::app
