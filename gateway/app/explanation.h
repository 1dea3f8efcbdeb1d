// What `sallyport explain` has found out about one stored message: the envelope it was tried with, what each check
// found, and what the client would have heard. A plain value; explain_text and explain_json write it down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/address.h"
#include "gateway/base/units.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"
#include "policies/api/transaction.h"
#include "policies/api/verdict.h"
#include "policies/settings.h"

namespace sallyport::app {

// How the message comes in. Addresses are canonical, without <>; an empty `from` is the null sender.
struct Envelope {
  IpAddress ip;
  std::string helo;
  std::string from;
  std::vector<std::string> to;
  bool tls = false;
  // What was not given and had to be taken from somewhere: "ip: from a Received field".
  std::vector<std::string> assumed;
};

struct StoredMessage {
  std::string content;             // as a client would send it, without dot-stuffing
  std::vector<std::string> notes;  // in what it is another than the file: "LF line ends are taken as CRLF"
};

// One command and what the gateway said to it, each line whole: "550 5.7.1 Relaying denied (id ...)". No line: it hung
// up without a word.
struct Exchange {
  std::string command;  // empty: the connection itself
  std::vector<std::string> reply;
};

// A violation or fault that the gateway would have logged beside the mail's own line.
struct Remark {
  std::string event;  // violation, fault
  std::string kind;
  std::string detail;

  friend bool operator==(const Remark&, const Remark&) = default;
};

// One rate that would have been counted.
struct RateQuestion {
  std::string key;  // "mail_per_ip 192.0.2.1"
  Rate rate;
};

struct Explanation {
  Envelope envelope;
  std::uint64_t octets = 0;
  std::vector<std::string> notes;

  // The outcome, in the words of the log.
  std::string verdict;  // relay, tag, reject, tempfail, discard, drop
  std::string stage;
  std::string check;
  std::string rule;
  std::string because;
  std::string reply;  // what the client heard last about this mail; empty: nothing

  std::vector<std::pair<std::string, policies::Mode>> checks;  // those that are on, in the order of their judges
  policies::Transaction mail;                                  // without its message
  policies::Facts facts;
  std::vector<policies::Verdict> verdicts;
  double score = 0;
  policies::ActionSettings thresholds;

  std::vector<RateQuestion> rates;
  std::vector<Exchange> dialogue;
  std::vector<Remark> remarks;
  std::string relayed_header;  // the whole header section as the upstream would have got it; empty: not relayed

  bool passes() const { return verdict == "relay" || verdict == "tag"; }
};

}  // namespace sallyport::app
