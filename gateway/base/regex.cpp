#include "gateway/base/regex.h"

#include <re2/re2.h>

namespace sallyport {

struct Regex::Compiled {
  Compiled(std::string_view pattern, const RE2::Options& options)
      : expression(re2::StringPiece(pattern.data(), pattern.size()), options) {}
  RE2 expression;
};

namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::string complaint(const RE2& expression) {
  std::string message = "bad regular expression: " + expression.error();
  // RE2 names the faulty part; people need its position.
  const std::string& culprit = expression.error_arg();
  std::size_t at = culprit.empty() ? std::string::npos : expression.pattern().find(culprit);
  if (at != std::string::npos) message += ", at character " + std::to_string(at + 1);
  return message;
}

}  // namespace

Result<Regex> Regex::compile(std::string_view pattern, Options options) {
  RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_case_sensitive(!options.ignore_case);
  settings.set_max_mem(static_cast<std::int64_t>(options.max_memory_bytes));
  auto compiled = std::make_unique<Compiled>(pattern, settings);
  if (!compiled->expression.ok()) return Failure{complaint(compiled->expression)};
  return Regex(std::move(compiled));
}

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

bool Regex::found_in(std::string_view text) const { return RE2::PartialMatch(piece(text), compiled_->expression); }

bool Regex::matches(std::string_view text) const { return RE2::FullMatch(piece(text), compiled_->expression); }

std::vector<std::string_view> Regex::groups(std::string_view text) const {
  const RE2& expression = compiled_->expression;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(expression.NumberOfCapturingGroups()) + 1);
  bool any =
      expression.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found.data(), static_cast<int>(found.size()));
  if (!any) return {};
  std::vector<std::string_view> groups;
  groups.reserve(found.size());
  for (const re2::StringPiece& group : found) groups.emplace_back(group.data(), group.size());
  return groups;
}

const std::string& Regex::pattern() const { return compiled_->expression.pattern(); }

}  // namespace sallyport
