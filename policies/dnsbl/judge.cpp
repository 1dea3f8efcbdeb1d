#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/score_text.h"
#include "gateway/base/text.h"
#include "policies/api/exemption.h"
#include "policies/dnsbl/dnsbl.h"
#include "policies/dnsbl/listings.h"
#include "policies/dnsbl/replies.h"
#include "policies/lists/list_text.h"

namespace sallyport::policies {

namespace {

// A client that is listed by mistake must be able to write to somebody (RFC 5321, 4.5.1; RFC 2142, 4).
bool is_for_complaints(const Transaction& mail) {
  if (!mail.rcpt) return false;
  return text::equals_ignoring_case(mail.rcpt->local, "postmaster") ||
         text::equals_ignoring_case(mail.rcpt->local, "abuse");
}

bool is_listed(const std::vector<Listing>& found, const DnsblSettings& settings) {
  const Listing* worst = worst_of(found);
  return worst && worst->score > 0 && sum_of(found) >= settings.reject_at;
}

void judge_recipient(const Transaction& mail, const std::vector<Listing>& found, const DnsblSettings& settings,
                     Verdicts& out) {
  if (!is_listed(found, settings) || is_for_complaints(mail)) return;
  const Listing& worst = *worst_of(found);
  std::string sum;
  for (const Listing& listing : found) {
    if (!sum.empty()) sum += ' ';
    sum += describe(listing) + '(' + score_text(listing.score) + ')';
  }
  sum += ": sum " + score_text(sum_of(found)) + " of " + score_text(settings.reject_at);
  // A refused recipient has no later stage: here each list has its say, with its whole score.
  for (const Listing& listing : found) {
    const bool decides = &listing == &worst;
    Verdict verdict = decides ? Verdict::reject(dnsbl_reply::listed.dsn, list_reply_text(worst.text, worst.list, mail))
                              : Verdict::scored(listing.score, describe(listing));
    if (decides) verdict.because = sum;
    verdict.rule = listing.list;
    verdict.score = listing.score;
    out.add(std::move(verdict));
  }
}

// A listed client's message is judged only when its recipients are addresses for complaints. The listings alone may
// mark that mail, but they count for no more than the threshold in sum, so that the message is not refused here for
// what did not refuse its recipients. What each list counts of its score, the largest first, in the order of the lists.
std::vector<double> counted_scores(const std::vector<Listing>& found, const DnsblSettings& settings) {
  std::vector<double> scores;
  std::vector<std::size_t> positive;
  double left = settings.reject_at;
  for (const Listing& listing : found) {
    if (listing.score > 0) {
      positive.push_back(scores.size());
    } else {
      left -= listing.score;
    }
    scores.push_back(listing.score);
  }
  if (!is_listed(found, settings)) return scores;
  std::stable_sort(positive.begin(), positive.end(), [&scores](auto a, auto b) { return scores[a] > scores[b]; });
  for (const std::size_t index : positive) {
    scores[index] = std::min(scores[index], std::max(left, 0.0));
    left -= scores[index];
  }
  return scores;
}

void judge_message(const std::vector<Listing>& found, const DnsblSettings& settings, Verdicts& out) {
  const std::vector<double> scores = counted_scores(found, settings);
  for (std::size_t i = 0; i < found.size(); ++i) {
    Verdict verdict = Verdict::scored(scores[i], describe(found[i]));
    verdict.rule = found[i].list;
    if (scores[i] != found[i].score) {
      verdict.because += " (" + score_text(found[i].score) + ", but all lists count no more than reject_at)";
    }
    out.add(std::move(verdict));
  }
}

}  // namespace

void judge_dnsbl(Stage stage, const Transaction& mail, const Facts& facts, const DnsblSettings& settings,
                 Verdicts& out) {
  const DnsblFacts* dnsbl = facts.find<DnsblFacts>();
  if (!dnsbl || (stage != Stage::rcpt && stage != Stage::message)) return;
  const Exemption exemption = exemption_of(mail.client, settings.skip);
  if (exemption != Exemption::none) return out.add(verdict_of(exemption, "dnsbl"));
  // At rcpt, as a mail whose recipients are all refused has no later stage. Of several recipients it is kept once.
  if (stage == Stage::rcpt) {
    for (Unanswered& list : unanswered(mail.client, *dnsbl, settings)) {
      out.add(Verdict::unknown(std::move(list.list), std::move(list.why)));
    }
  }
  const std::vector<Listing> found = listings(mail.client, *dnsbl, settings);
  if (stage == Stage::rcpt) {
    judge_recipient(mail, found, settings, out);
  } else {
    judge_message(found, settings, out);
  }
}

}  // namespace sallyport::policies
