#include "gateway/report/dmarc_reporter.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ostream>
#include <set>
#include <utility>

#include "gateway/base/text.h"
#include "gateway/base/version.h"
#include "gateway/crypto/digest.h"
#include "gateway/report/gzip.h"
#include "gateway/report/mail_sender.h"
#include "policies/dmarc/lookup.h"
#include "policies/dmarc/record.h"
#include "policies/dmarc/settings.h"

namespace sallyport::report {

namespace {

using report::Destination;

constexpr std::int64_t day_seconds = 86400;
constexpr std::size_t most_words = 200;  // of a text of the configuration, in the mail

report::PublishedPolicy published(const state::DmarcReportKey& key, const policies::DmarcRecord& record) {
  report::PublishedPolicy policy;
  policy.domain = key.policy_domain;
  policy.discovery = key.discovery;
  policy.policy = word(record.own_policy());
  if (record.subdomain_policy) policy.subdomain_policy = word(*record.subdomain_policy);
  if (record.nonexistent_policy) policy.nonexistent_policy = word(*record.nonexistent_policy);
  policy.failure_options = record.failure_options;
  policy.strict_dkim = record.strict_dkim;
  policy.strict_spf = record.strict_spf;
  policy.testing = record.testing;
  return policy;
}

std::string plural(std::uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace

std::string day_text(state::Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

std::optional<state::Day> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = text::to_number(text.substr(0, 4));
  const auto month = text::to_number(text.substr(5, 2));
  const auto day = text::to_number(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

Task<Result<DmarcReporter::Outcome>> DmarcReporter::run() {
  auto keys = state::dmarc_report_keys(parts_.database, day_);
  if (!keys) co_return std::move(keys).error();
  for (const state::DmarcReportKey& key : *keys) {
    auto reported = co_await report_on(key);
    if (!reported) co_return std::move(reported).error();
  }
  co_return outcome_;
}

// As many as it takes to keep each small.
Result<std::vector<DmarcReporter::File>> DmarcReporter::make_files(const state::DmarcReportKey& key) const {
  const policies::DmarcReportSettings& about = parts_.dmarc.report;
  const auto record = policies::parse_dmarc_record(key.record).value_or(policies::DmarcRecord());
  const report::PublishedPolicy policy = published(key, record);

  report::ReportName next;
  next.receiver = parts_.settings.hostname;
  next.policy_domain = key.policy_domain;
  next.begin = day_ * day_seconds;
  // Not of the record, which may change in the course of the day: there is one report.
  const std::string names = next.receiver + " " + key.policy_domain + " " + std::to_string(day_);
  next.fingerprint = text::to_hex(crypto::sha256(names)).substr(0, 8);
  next.end = next.begin + day_seconds - 1;

  std::vector<File> files;
  std::optional<report::AggregateXml> xml;
  const auto begin = [&] {
    report::ReportMetadata metadata;
    metadata.organization = about.organization.empty() ? parts_.settings.hostname : about.organization;
    metadata.email = about.from;
    metadata.contact = about.contact;
    metadata.report_id = report_id(next);
    metadata.generator = "Sallyport " + std::string(version());
    metadata.begin = next.begin;
    metadata.end = next.end;
    xml.emplace(metadata, policy);
  };
  const auto end = [&] {
    files.push_back({next, {}, xml->rows(), xml->mails()});
    files.back().gzipped = report::gzip(xml->finish());
    xml.reset();
    ++next.part;
  };
  auto read = state::read_dmarc_rows(parts_.database, day_, key, [&](const io::DmarcReportRow& row) {
    if (!xml) begin();
    if (xml->add(row)) return;
    end();
    begin();
    xml->add(row);
  });
  if (!read) return std::move(read).error();
  if (xml) end();
  return files;
}

Task<Result<Done>> DmarcReporter::report_on(const state::DmarcReportKey& key) {
  auto files = make_files(key);
  if (!files) co_return std::move(files).error();
  ++outcome_.reports;
  std::uint64_t rows = 0;
  std::uint64_t mails = 0;
  for (const File& file : *files) {
    rows += file.rows;
    mails += file.mails;
  }
  out_ << key.policy_domain << ": " << plural(mails, "mail") << " in " << plural(rows, "row");
  if (files->size() > 1) out_ << ", in " << files->size() << " files";
  out_ << "\n";

  const auto record = policies::parse_dmarc_record(key.record).value_or(policies::DmarcRecord());
  std::set<std::string> addresses;  // two URIs may come to the same
  for (const std::string& uri : record.report_to) {
    const Destination to = co_await find_destination(key.policy_domain, uri);
    if (to.answer != Destination::Answer::allowed) {
      const bool again = to.answer == Destination::Answer::unknown;
      ++(again ? outcome_.failed : outcome_.refused);
      out_ << "  " << text::printable(uri, most_words) << ": not sent, " << to.why
           << (again ? "; run this again later" : "") << "\n";
      continue;
    }
    if (!addresses.insert(to.address).second) continue;
    auto sent = co_await send_files(*files, to.address);
    if (!sent) co_return sent;
  }
  co_return Done{};
}

// The organization's own hosts need not agree (RFC 9990, 4, step 3).
Task<Destination> DmarcReporter::find_destination(const std::string& policy_domain, const std::string& uri) {
  auto mailbox = report::parse_mailto(uri);
  if (!mailbox) co_return Destination{Destination::Answer::refused, {}, "only plain mailto: addresses get reports"};
  if (mailbox->host == policy_domain) co_return Destination{Destination::Answer::allowed, mailbox->address, {}};
  const auto ours = co_await organization_of(policy_domain);
  const auto theirs = co_await organization_of(mailbox->host);
  if (!ours || !theirs)
    co_return Destination{Destination::Answer::unknown, {}, "whose host it is could not be asked for"};
  if (*ours == *theirs && !ours->empty()) co_return Destination{Destination::Answer::allowed, mailbox->address, {}};
  const Time deadline = parts_.scheduler.now() + parts_.settings.timeouts.policy;
  co_return co_await report::ask_destination(policy_domain, std::move(*mailbox), parts_.resolver, deadline);
}

// Nothing where the DNS could not be asked.
Task<std::optional<std::string>> DmarcReporter::organization_of(std::string domain) {
  if (parts_.dmarc.organizational_domain == policies::OrganizationalDomainBy::psl)
    co_return parts_.suffixes.registrable_domain(domain);
  const std::vector<signature::BodyHash> no_body;
  const policies::GatherContext context{parts_.scheduler,
                                        parts_.resolver,
                                        parts_.counters,
                                        parts_.log,
                                        parts_.scheduler.now() + parts_.settings.timeouts.policy,
                                        no_body};
  std::vector<dns::Evidence> evidence;
  policies::DmarcLookup lookup(context, evidence);
  const policies::DmarcLookup::Walk walk = co_await lookup.walk(domain);
  if (walk.failed) co_return std::nullopt;
  co_return policies::organizational_domain(domain, walk.found);
}

Task<Result<Done>> DmarcReporter::send_files(const std::vector<File>& files, std::string address) {
  const policies::DmarcReportSettings& about = parts_.dmarc.report;
  for (const File& file : files) {
    const std::string id = report_id(file.name);
    const auto before = dry_run_
                            ? state::dmarc_was_sent(parts_.database, day_, id, address)
                            : state::claim_dmarc_report(parts_.database, day_, id, address, parts_.clock.wall_now());
    if (!before) co_return before.error();
    out_ << "  " << address << ": ";
    if (*before) {
      ++outcome_.before;
      out_ << "was sent before (" << id << ")\n";
      continue;
    }
    if (dry_run_) {
      out_ << "would get " << file_name(file.name) << ", " << plural(file.gzipped.size(), "octet") << "\n";
      continue;
    }
    report::ReportMail mail;
    mail.name = file.name;
    mail.from = about.from;
    mail.to = address;
    mail.intro = "This is a DMARC aggregate report about " + file.name.policy_domain + "\nof " + day_text(day_) +
                 " (UTC): what " + file.name.receiver + " has seen, " + plural(file.mails, "mail") + ".\n";
    if (!about.contact.empty()) mail.intro += "Questions: " + text::printable(about.contact, most_words) + "\n";
    mail.gzipped = file.gzipped;
    mail.date = parts_.clock.wall_now();
    OutgoingMail outgoing{about.from, address, make_report_mail(mail)};
    if (parts_.signer != nullptr) outgoing.message = parts_.signer->sign(outgoing.message, mail.date);
    const SentMail sent = co_await send_mail(std::move(outgoing), parts_.pool, parts_.upstream,
                                             parts_.settings.timeouts, parts_.scheduler);
    switch (sent.outcome) {
      case SentMail::Outcome::sent:
        ++outcome_.sent;
        out_ << "sent (" << id << ")\n";
        break;
      case SentMail::Outcome::unknown:
        ++outcome_.unknown;
        out_ << "may have arrived, " << sent.why << "; it is not sent again\n";
        break;
      case SentMail::Outcome::not_sent: {
        ++outcome_.failed;
        out_ << "not sent, " << sent.why << "; run this again later\n";
        auto released = state::release_dmarc_report(parts_.database, day_, id, address);
        if (!released) co_return released;
        break;
      }
    }
  }
  co_return Done{};
}

}  // namespace sallyport::report
