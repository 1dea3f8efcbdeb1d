#include "policies/dmarc/lookup.h"

#include <utility>
#include <variant>

#include "policies/api/ask.h"

namespace sallyport::policies {

namespace {

dns::Question question_for(std::string_view domain) { return {"_dmarc." + std::string(domain), dns::Type::TXT}; }

// A name with the label in front may be longer than names can be: nothing can be there.
bool can_be_asked(const dns::Question& question) { return question.name.size() <= 253; }

}  // namespace

const dns::Answer* DmarcLookup::known(const dns::Question& question) const {
  for (const dns::Evidence& asked : evidence_) {
    if (asked.question == question) return &asked.answer;
  }
  return nullptr;
}

Task<void> DmarcLookup::ask(std::vector<std::string_view> domains) {
  std::vector<dns::Question> questions;
  for (std::string_view domain : domains) {
    dns::Question question = question_for(domain);
    if (can_be_asked(question) && known(question) == nullptr) questions.push_back(std::move(question));
  }
  if (questions.empty()) co_return;
  for (dns::Evidence& asked : co_await ask_all(std::move(questions), context_)) evidence_.push_back(std::move(asked));
}

DmarcLookup::AtName DmarcLookup::read(std::string_view domain) const {
  AtName at;
  const dns::Answer* answer = known(question_for(domain));
  if (answer == nullptr) return at;
  if (answer->failed()) {
    at.status = AtName::Status::failed;
    return at;
  }
  for (const dns::RecordData& data : answer->records) {
    const auto* text = std::get_if<std::string>(&data);
    auto record = text == nullptr ? std::nullopt : parse_dmarc_record(*text);
    if (!record) continue;
    if (at.status == AtName::Status::found) return {};  // the second one
    at = {AtName::Status::found, *text, std::move(*record)};
  }
  return at;
}

Task<DmarcLookup::AtName> DmarcLookup::record_at(std::string domain) {
  std::vector<std::string_view> domains{domain};
  co_await ask(std::move(domains));
  co_return read(domain);
}

Task<DmarcLookup::Walk> DmarcLookup::walk(std::string domain) {
  const std::vector<std::string_view> names = tree_walk_names(domain);
  co_await ask(names);
  Walk walk;
  for (std::string_view name : names) {
    AtName at = read(name);
    if (at.status == AtName::Status::failed) {
      walk.failed = true;
      break;
    }
    if (at.status == AtName::Status::absent) continue;
    walk.found.push_back({std::string(name), std::move(at.record)});
    if (walk.found.back().record.public_suffix != DmarcRecord::PublicSuffix::unknown) break;
  }
  co_return walk;
}

Task<DmarcLookup::Existence> DmarcLookup::existence(std::string domain) {
  dns::Question question{std::move(domain), dns::Type::A};
  dns::Answer answer = co_await context_.resolver.lookup(question, context_.deadline);
  const Existence result = answer.failed()                          ? Existence::unknown
                           : answer.status == dns::Status::nxdomain ? Existence::nonexistent
                                                                    : Existence::exists;
  evidence_.push_back({std::move(question), std::move(answer)});
  co_return result;
}

}  // namespace sallyport::policies
