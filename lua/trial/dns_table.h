// DnsTable: the DNS of a test for rules: what the test has put in is all there is. Every other name does not exist.
// Answers come at once, also a timeout.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/io/resolver.h"

namespace sallyport::lua {

class DnsTable final : public io::Resolver {
 public:
  // `name` as in a question: lower case, without the final dot.
  void add(std::string_view name, dns::Type type, dns::RecordData record);
  // A status instead of records.
  void set(std::string_view name, dns::Type type, dns::Status status);
  // Of a name as a whole, whatever its records are asked for.
  void set(std::string_view name, dns::Status status);

  Task<dns::Answer> lookup(dns::Question question, Time deadline) override;
  // Everything that was asked, in order.
  const std::vector<dns::Question>& asked() const { return asked_; }

 private:
  struct Name {
    std::map<dns::Type, dns::Answer> answers;
    std::optional<dns::Status> whole;
  };
  std::map<std::string, Name, std::less<>> names_;
  std::vector<dns::Question> asked_;
};

}  // namespace sallyport::lua
