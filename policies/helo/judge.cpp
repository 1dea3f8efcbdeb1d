#include <string>
#include <string_view>
#include <utility>

#include "policies/helo/helo.h"
#include "policies/helo/replies.h"

namespace sallyport::policies {

namespace {

std::string_view describe(HeloFinding finding) {
  switch (finding) {
    case HeloFinding::ok:
      return "in order";
    case HeloFinding::bare_ip:
      return "an address without brackets";
    case HeloFinding::literal_of_another:
      return "the address of another";
    case HeloFinding::not_fully_qualified:
      return "not fully qualified";
    case HeloFinding::localhost:
      return "the name of every host";
    case HeloFinding::own_name:
      return "our own name";
    case HeloFinding::bad_syntax:
      break;
  }
  return "not a host name";
}

}  // namespace

void judge_helo(Stage stage, const Transaction& mail, const Facts& facts, const HeloSettings& settings, Verdicts& out) {
  const HeloFacts* helo = facts.find<HeloFacts>();
  if (!helo || helo->finding == HeloFinding::ok) return;
  const bool is_our_name = helo->finding == HeloFinding::own_name;
  if (stage != (is_our_name ? Stage::mail : Stage::message)) return;
  const std::string because = "HELO " + mail.client.helo + " is " + std::string(describe(helo->finding));
  Verdict verdict = is_our_name ? refuse_with(helo_reply::own_name) : Verdict::scored(settings.score, because);
  verdict.because = because;
  out.add(std::move(verdict));
}

}  // namespace sallyport::policies
