// Books: the records that are made of mails, of recipients and connections that are refused (contract.md, section 6),
// and how they reach the sinks. A Session and the milter server keep the same books.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gateway/checks/checks.h"
#include "gateway/record/mail_record.h"
#include "gateway/session/host.h"
#include "gateway/session/mail_under_way.h"

namespace sallyport::session {

// Whose mails they are. All of it outlives the call.
struct ClientOnBooks {
  const policies::Transaction& connection;
  const checks::Checks* checks = nullptr;  // null: none of it was checked yet
  Time began{};
  std::string_view configuration;  // the hash of the connection's
};

// The record of `mail`; where it is null, of the connection. That of Subject::transaction takes the mail's transaction:
// nothing but its id is left there.
record::MailRecord make_record(record::Subject subject, record::Decision decision, const ClientOnBooks& client,
                               MailUnderWay* mail, Time now);
// What is recorded of a mail that nobody has decided about.
record::Decision abandoned(policies::Stage stage);
// Makes and tells the record of a mail that ends. False: it could not be kept. Where the mail was to be discarded, that
// it was put off is told then, which the caller has to say.
bool tell_end(Host& host, std::string_view hostname, MailUnderWay& mail,
              const std::function<record::MailRecord()>& make);

}  // namespace sallyport::session
