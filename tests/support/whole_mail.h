// WholeMail: a message and its transaction as policies see them, made from the octets of a whole message.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/mail/message.h"
#include "policies/api/transaction.h"

namespace sallyport::support {

class WholeMail {
 public:
  explicit WholeMail(std::string_view octets) : spool_(mail::make_file_spool("/tmp")), message_(limits(), *spool_) {
    message_.append(octets);
    message_.parse_header();
    const std::size_t body_octets = static_cast<std::size_t>(message_.body_octets());
    body_ = octets.substr(octets.size() - body_octets);
    transaction_.client.ip = IpAddress::v4({192, 0, 2, 1});
    transaction_.now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);
    transaction_.message = &message_;
  }
  WholeMail(const WholeMail&) = delete;
  WholeMail& operator=(const WholeMail&) = delete;

  const mail::HeaderSection& header() const { return message_.header(); }
  const std::string& body() const { return body_; }
  policies::Transaction& transaction() { return transaction_; }

 private:
  static mail::MessageLimits limits() { return {}; }

  std::unique_ptr<mail::Spool> spool_;
  mail::Message message_;
  std::string body_;
  policies::Transaction transaction_;
};

}  // namespace sallyport::support
