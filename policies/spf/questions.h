// The questions that one evaluation asks the DNS; they and their answers are kept as evidence.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/async/task.h"
#include "gateway/io/resolver.h"

namespace sallyport::policies::spf {

class Questions {
 public:
  Questions(io::Resolver& resolver, Time deadline) : resolver_(resolver), deadline_(deadline) {}

  // The answer is valid until the next question.
  Task<const dns::Answer*> ask(std::string name, dns::Type type) {
    dns::Question question{std::move(name), type};
    dns::Answer answer = co_await resolver_.lookup(question, deadline_);
    evidence_.push_back({std::move(question), std::move(answer)});
    co_return &evidence_.back().answer;
  }
  std::vector<dns::Evidence> take_evidence() { return std::move(evidence_); }

 private:
  io::Resolver& resolver_;
  Time deadline_;
  std::vector<dns::Evidence> evidence_;
};

}  // namespace sallyport::policies::spf
