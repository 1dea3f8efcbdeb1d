// SPF records, and the evaluation of one that every name has: a world in which all includes and redirects lead on. What
// was understood points into the text and is bounded, and so are the questions it makes us ask.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "policies/spf/evaluate.h"
#include "policies/spf/macro.h"
#include "policies/spf/record.h"
#include "tests/support/manual_loop.h"

namespace {

using namespace sallyport;
using namespace sallyport::policies;

class SameEverywhere final : public io::Resolver {
 public:
  explicit SameEverywhere(std::string record) : record_(std::move(record)) {}

  Task<dns::Answer> lookup(dns::Question question, Time) override {
    ++asked;
    ensure(spf::is_name(question.name), "a question for what is no name");
    ensure(std::none_of(question.name.begin(), question.name.end(), [](char c) { return c != text::lower(c); }),
           "a question in upper case");
    dns::Answer answer;
    answer.status = dns::Status::ok;
    if (question.type == dns::Type::TXT) {
      answer.records.emplace_back(record_);
    } else if (question.type == dns::Type::MX) {
      for (int i = 0; i < 10; ++i) answer.records.emplace_back(dns::Mx{10, "mx.example.org"});
    } else if (question.type == dns::Type::PTR) {
      for (int i = 0; i < 12; ++i) answer.records.emplace_back("h" + std::to_string(i) + ".example.org");
    } else {
      answer.records.emplace_back(*IpAddress::parse("198.51.100.1"));
    }
    co_return answer;
  }

  std::size_t asked = 0;

 private:
  std::string record_;
};

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_record(const std::string& text) {
  const auto record = spf::parse_record(text);
  if (!record) {
    const std::string& why = record.error().message;
    ensure(why.size() <= 200 && std::all_of(why.begin(), why.end(), text::is_printable),
           "a reason that cannot be shown");
    return;
  }
  ensure(record->terms.size() * 2 <= text.size(), "more terms than the text can hold");
  std::string again = "v=spf1";
  for (const spf::Term& term : record->terms) {
    ensure(lies_in(term.text, text) && !term.text.empty(), "a term from elsewhere");
    ensure(lies_in(term.target, term.text), "a target from elsewhere");
    ensure(term.target.empty() || spf::is_domain_spec(term.target), "a target that is no domain-spec");
    ensure(term.ip4_bits <= 32 && term.ip6_bits <= 128, "more bits than an address has");
    again.append(" ").append(term.text);
  }
  if (!record->redirect.empty()) again.append(" redirect=").append(record->redirect);
  const auto same = spf::parse_record(again);
  ensure(same && same->terms.size() == record->terms.size() && same->redirect == record->redirect,
         "not the same again");
}

void check_evaluation(const std::string& text) {
  support::ManualLoop loop;
  SameEverywhere resolver(text);
  spf::Identity identity;
  identity.ip = *IpAddress::parse("192.0.2.1");
  identity.local = "ann";
  identity.domain = "example.org";
  identity.helo = "mail.example.org";
  const auto check = loop.run_until_done(spf::evaluate(std::move(identity), resolver, loop.now()));
  // Ten terms of eleven questions, the first record, the client's names and an explanation.
  ensure(resolver.asked <= 1 + 10 * 11 + 11 + 1, "more questions than a record is worth");
  ensure(check.evidence.size() == resolver.asked, "a question without evidence");
  ensure(check.lookups <= 11 && check.void_lookups <= 3, "limits that do not hold");
  for (const std::string* words : {&check.mechanism, &check.problem, &check.explanation}) {
    ensure(std::all_of(words->begin(), words->end(), text::is_printable), "facts that cannot be shown");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  if (!spf::is_spf_record(text)) text.insert(0, "v=spf1 ");
  check_record(text);
  check_evaluation(text);
  return 0;
}
