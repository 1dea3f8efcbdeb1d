#include "policies/api/verdict.h"

namespace sallyport::policies {

Verdict Verdict::reject(std::string_view dsn, std::string_view text, int code) {
  Verdict verdict;
  verdict.action = Action::reject;
  verdict.code = code;
  verdict.dsn = dsn;
  verdict.text = text;
  return verdict;
}

Verdict Verdict::tempfail(std::string_view dsn, std::string_view text, int code) {
  Verdict verdict = reject(dsn, text, code);
  verdict.action = Action::tempfail;
  return verdict;
}

Verdict Verdict::scored(double score, std::string because) {
  Verdict verdict;
  verdict.score = score;
  verdict.because = std::move(because);
  return verdict;
}

Verdict Verdict::unknown(std::string rule, std::string because) {
  Verdict verdict;
  verdict.is_unknown = true;
  verdict.rule = std::move(rule);
  verdict.because = std::move(because);
  return verdict;
}

void Verdicts::speaks(std::string_view check, Stage stage, Mode mode) {
  check_ = check;
  stage_ = stage;
  mode_ = mode;
}

void Verdicts::add(Verdict verdict) {
  if (!verdict.says_something()) return;
  verdict.check = check_;
  verdict.stage = stage_;
  verdict.shadow = verdict.shadow || mode_ == Mode::shadow;
  all_.push_back(std::move(verdict));
}

}  // namespace sallyport::policies
