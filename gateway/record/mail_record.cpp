#include "gateway/record/mail_record.h"

namespace sallyport::record {

std::string to_json(const MailRecord& record) {
  return "{\"record\":" + FieldWriter::json(record) + ",\"facts\":" + record.facts.to_json() + "}";
}

Result<MailRecord> from_json(const JsonValue& json, const std::vector<const policies::FactsType*>& known) {
  const auto plain = json.member("record");
  const auto facts = json.member("facts");
  if (!plain || !facts) return Failure{"not a record: no \"record\" or no \"facts\""};
  MailRecord record;
  auto read = FieldReader::read_json(*plain, record);
  if (!read) return std::move(read).error();
  auto found = policies::Facts::from_json(*facts, known);
  if (!found) return std::move(found).error();
  record.facts = std::move(*found);
  return record;
}

}  // namespace sallyport::record
