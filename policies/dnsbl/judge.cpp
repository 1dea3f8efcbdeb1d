#include <algorithm>
#include <charconv>
#include <string>

#include "gateway/base/text.h"
#include "policies/dnsbl/dnsbl.h"

namespace sallyport::policies {

namespace {

std::string to_text(double score) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, score);
  return std::string(buffer, end.ptr);
}

// "zen.dnsbl.example=127.0.0.2,127.0.0.4(8)".
std::string describe(const DnsblFacts& facts) {
  std::string words;
  for (const DnsblFacts::Hit& hit : facts.hits) {
    if (!words.empty()) words += ' ';
    words += hit.zone + '=' + text::join(hit.codes, ",") + '(' + to_text(hit.score) + ')';
  }
  return words;
}

// Who is listed by mistake must be able to reach somebody (RFC 5321, 4.5.1; RFC 2142, 4).
bool is_for_complaints(const Transaction& mail) {
  if (!mail.rcpt) return false;
  return text::equals_ignoring_case(mail.rcpt->local, "postmaster") ||
         text::equals_ignoring_case(mail.rcpt->local, "abuse");
}

}  // namespace

Verdict judge_dnsbl(Stage stage, const Transaction& mail, const DnsblFacts& facts, const DnsblSettings& settings) {
  if (facts.hits.empty()) return Verdict::none();
  const auto by_score = [](const DnsblFacts::Hit& a, const DnsblFacts::Hit& b) { return a.score < b.score; };
  const DnsblFacts::Hit& worst = *std::max_element(facts.hits.begin(), facts.hits.end(), by_score);
  double sum = 0;
  for (const DnsblFacts::Hit& hit : facts.hits) sum += hit.score;
  const bool is_listed = worst.score > 0 && sum >= settings.reject_at;

  if (stage == Stage::rcpt) {
    if (!is_listed || is_for_complaints(mail)) return Verdict::none();
    Verdict verdict = Verdict::reject("5.7.1", "Listed by " + worst.zone);
    verdict.because = describe(facts) + ": sum " + to_text(sum) + " of " + to_text(settings.reject_at);
    return verdict;
  }
  Verdict verdict;
  // A listed client gets here only with mail to complain by. The listing alone may mark that mail, but it counts for no
  // more than the threshold, so that it is not refused here for what did not refuse its recipient.
  verdict.score = is_listed ? std::min(sum, settings.reject_at) : sum;
  verdict.because = describe(facts);
  return verdict;
}

}  // namespace sallyport::policies
