#include "tests/unit/session/invariants.h"

#include <algorithm>
#include <optional>

#include "gateway/base/text.h"
#include "tests/unit/session/same_message.h"

namespace sallyport::session {

std::string_view LoggedEvent::field(std::string_view key) const {
  auto found = fields.find(key);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

namespace {

using Broken = std::vector<std::string>;

constexpr std::size_t most_line_octets = 512;  // RFC 5321, 4.5.3.1.5

// A message that was answered with 2xx: to the client by us, or to us by the upstream.
struct Acceptance {
  std::uint64_t moment = 0;
  SaidMessage message;
};

// The conversations of all wires, read once.
struct Talks {
  std::vector<Conversation> clients;
  std::vector<Conversation> upstreams;
  std::vector<Acceptance> told;
  std::vector<Acceptance> stored;
  bool are_all_readable = true;  // nothing that clients sent was encrypted
};

std::string_view client_octets(const Evidence& evidence, std::size_t i) {
  return std::string_view(evidence.clients[i].received).substr(evidence.balancer_octets[i]);
}

Talks read_talks(const Evidence& evidence) {
  Talks talks;
  talks.are_all_readable = !evidence.clients_are_secured;
  for (std::size_t i = 0; i < evidence.clients.size() && !evidence.clients_are_secured; ++i) {
    const Wire& wire = evidence.clients[i];
    talks.clients.push_back(read_conversation(client_octets(evidence, i), wire.sent));
    const Conversation& talk = talks.clients.back();
    if (talk.is_secured) talks.are_all_readable = false;
    for (const SaidMessage& message : talk.messages) {
      if (!message.answer || !message.answer->is_positive()) continue;
      talks.told.push_back({mark_of(wire.sent_marks, message.answer->end).moment, message});
    }
  }
  for (const Wire& wire : evidence.upstreams) {
    talks.upstreams.push_back(read_conversation(wire.sent, wire.received));
    for (const SaidMessage& message : talks.upstreams.back().messages) {
      if (!message.answer || !message.answer->is_positive()) continue;
      std::uint64_t said = mark_of(wire.sent_marks, message.end).moment;
      std::uint64_t heard = mark_of(wire.received_marks, message.answer->end).moment;
      // A reply that arrived before the message's end was sent is no answer to it.
      if (said < heard) talks.stored.push_back({heard, message});
    }
  }
  return talks;
}

bool is_relayed(const LoggedEvent& event) {
  const std::string_view verdict = event.field("verdict");
  return event.event == "transaction" && (verdict == "relay" || verdict == "tag" || verdict == "quarantine");
}
bool is_discarded(const LoggedEvent& event) {
  return event.event == "transaction" && event.field("verdict") == "discard";
}

// I1, in time: before the n-th message was accepted towards a client, n messages had been stored or discarded.
void check_nothing_is_promised(const Evidence& evidence, const Talks& talks, Broken& broken) {
  std::vector<std::uint64_t> covered;
  for (const Acceptance& stored : talks.stored) covered.push_back(stored.moment);
  for (const LoggedEvent& event : evidence.log) {
    if (is_discarded(event)) covered.push_back(event.moment);
  }
  std::vector<std::uint64_t> told;
  for (const Acceptance& acceptance : talks.told) told.push_back(acceptance.moment);
  std::sort(covered.begin(), covered.end());
  std::sort(told.begin(), told.end());
  for (std::size_t i = 0; i < told.size(); ++i) {
    if (i < covered.size() && covered[i] < told[i]) continue;
    broken.push_back("I1: the client was told 2xx for a message that nobody had taken");
  }
}

// I1, in the log: exactly the messages that were stored are logged as relayed, and the client was told of them.
void check_the_log_agrees(const Evidence& evidence, const Talks& talks, Broken& broken) {
  std::map<std::string, int, std::less<>> stored;
  for (const Acceptance& acceptance : talks.stored) ++stored[std::string(id_of(acceptance.message.content))];
  std::size_t accepted = 0;
  std::size_t perhaps_untold = 0;
  for (const LoggedEvent& event : evidence.log) {
    if (is_discarded(event)) ++accepted;
    if (event.event == "fault" && event.field("kind") == "outcome_unknown")
      stored.erase(std::string(event.field("id")));
    if (!is_relayed(event)) continue;
    ++accepted;
    if (event.field("check") == "reply_lost") ++perhaps_untold;
    auto found = stored.find(event.field("id"));
    if (found == stored.end() || found->second-- == 0)
      broken.push_back("I1: logged as relayed, but not stored: id=" + std::string(event.field("id")));
  }
  for (const auto& [id, times] : stored) {
    if (times > 0) broken.push_back("I1: stored, but not logged as relayed: id=" + id);
  }
  if (!talks.are_all_readable) return;
  if (talks.told.size() > accepted || talks.told.size() + perhaps_untold < accepted) {
    broken.push_back("I1: the client was told of " + std::to_string(talks.told.size()) +
                     " accepted messages, the log " + "of " + std::to_string(accepted));
  }
}

void check_acknowledgement(const Evidence& evidence, const Talks& talks, Broken& broken) {
  check_nothing_is_promised(evidence, talks, broken);
  check_the_log_agrees(evidence, talks, broken);
}

void check_one_meaning(const Evidence& evidence, const Talks& talks, Broken& broken) {
  for (const Acceptance& stored : talks.stored) {
    std::string_view id = id_of(stored.message.content);
    std::string_view sent_on = below_our_fields(stored.message.content);
    auto seen = evidence.seen.find(id);
    if (seen != evidence.seen.end() && !is_same_message(seen->second.header + seen->second.body, sent_on))
      broken.push_back("I2: stored is not what the policies saw: id=" + std::string(id));
    if (!talks.are_all_readable) continue;
    bool was_said = std::any_of(talks.clients.begin(), talks.clients.end(), [&](const Conversation& talk) {
      return std::any_of(talk.messages.begin(), talk.messages.end(),
                         [&](const SaidMessage& said) { return is_same_message(said.content, sent_on); });
    });
    if (!was_said) broken.push_back("I2: stored is not what a client said: id=" + std::string(id));
  }
}

// A CR at the very end may be half of a CRLF whose LF was not sent.
bool is_well_framed(std::string_view octets) {
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (octets[i] == '\0') return false;
    if (octets[i] == '\n' && (i == 0 || octets[i - 1] != '\r')) return false;
    if (octets[i] == '\r' && i + 1 < octets.size() && octets[i + 1] != '\n') return false;
  }
  return true;
}

void check_framing(const Evidence& evidence, const Talks& talks, Broken& broken) {
  for (std::size_t i = 0; i < talks.clients.size(); ++i) {
    if (!is_well_framed(std::string_view(evidence.clients[i].sent).substr(0, talks.clients[i].plain_replies)))
      broken.emplace_back("I3: a NUL, or a CR or LF outside CRLF, was sent to a client");
  }
  for (std::size_t i = 0; i < talks.upstreams.size(); ++i) {
    if (!is_well_framed(std::string_view(evidence.upstreams[i].sent).substr(0, talks.upstreams[i].plain_requests)))
      broken.emplace_back("I3: a NUL, or a CR or LF outside CRLF, was sent to an upstream");
  }
}

void check_order(const Evidence& evidence, const Talks& talks, Broken& broken) {
  for (std::size_t i = 0; i < talks.clients.size(); ++i) {
    const Conversation& talk = talks.clients[i];
    std::string_view plain = std::string_view(evidence.clients[i].sent).substr(0, talk.plain_replies);
    if (auto said = read_replies(plain); !said.left_over.empty())
      broken.push_back("I5: no reply at all was sent to a client: " + text::printable(said.left_over));
    // The only reply without a command is the 421 of a session that ends by itself.
    bool is_farewell = talk.unanswered_for == 1 && talk.replies.back().code == 421;
    if (talk.unanswered_for > 0 && !is_farewell) {
      broken.push_back("I5: " + std::to_string(talk.unanswered_for) +
                       " replies more than commands, the last: " + text::printable(talk.replies.back().text));
    }
  }
}

void check_no_echo(const Evidence& evidence, const Talks& talks, Broken& broken) {
  for (std::size_t i = 0; i < talks.clients.size(); ++i) {
    std::string_view plain = std::string_view(evidence.clients[i].sent).substr(0, talks.clients[i].plain_replies);
    while (!plain.empty()) {
      std::string_view line = plain.substr(0, plain.find("\r\n"));
      if (line.size() + 2 > most_line_octets || !std::all_of(line.begin(), line.end(), text::is_printable))
        broken.push_back("I7: not printable, or too long: " + text::printable(line));
      plain.remove_prefix(std::min(plain.size(), line.size() + 2));
    }
  }
}

// A mail without recipients was refused as the last of them was: its line says so a second time.
bool repeats_its_recipient(const LoggedEvent& mail, const std::vector<LoggedEvent>& log) {
  if (mail.event != "transaction") return false;
  return std::any_of(log.begin(), log.end(), [&mail](const LoggedEvent& event) {
    return event.event == "recipient" && event.field("id") == mail.field("id") &&
           event.field("check") == mail.field("check") && event.field("reply") == mail.field("reply");
  });
}

void check_recorded_once(const Evidence& evidence, Broken& broken) {
  std::map<std::string, std::uint64_t, std::less<>> lines;
  for (const LoggedEvent& event : evidence.log) {
    if (repeats_its_recipient(event, evidence.log)) continue;
    bool is_incident = event.event == "violation" || event.event == "fault";
    ++lines[std::string(event.field(is_incident ? "kind" : "check"))];
  }
  auto compare = [&](auto kind) {
    std::string name(sallyport::name(kind));
    std::uint64_t counted = evidence.counters->get(kind);
    if (counted == lines[name]) return;
    broken.push_back("I8: " + name + " was counted " + std::to_string(counted) + " times and logged " +
                     std::to_string(lines[name]) + " times");
  };
  for (std::size_t i = 0; i < std::size_t(Violation::count_); ++i) compare(Violation(i));
  for (std::size_t i = 0; i < std::size_t(Fault::count_); ++i) compare(Fault(i));
}

void check_no_mistake(const Evidence& evidence, Broken& broken) {
  if (evidence.counters->get(Fault::internal) > 0) broken.emplace_back("I10: a mistake of ours ended a session");
}

void check_time(const Evidence& evidence, const Talks& talks, Broken& broken) {
  if (evidence.sessions_left > 0) broken.emplace_back("I12: a session with silent peers does not end");
  for (std::size_t i = 0; i < talks.clients.size(); ++i) {
    const Wire& wire = evidence.clients[i];
    for (const SaidMessage& message : talks.clients[i].messages) {
      if (!message.answer) continue;
      Time asked = mark_of(wire.received_marks, message.end + evidence.balancer_octets[i]).time;
      Time answered = mark_of(wire.sent_marks, message.answer->end).time;
      if (answered - asked > evidence.final_reply) broken.emplace_back("I12: the final reply came too late");
    }
  }
}

void check_nothing_left(const Evidence& evidence, Broken& broken) {
  auto is_open = [](const Wire& wire) { return wire.is_open; };
  if (std::any_of(evidence.clients.begin(), evidence.clients.end(), is_open))
    broken.emplace_back("a session is over and still holds its client's connection");
  if (std::any_of(evidence.upstreams.begin(), evidence.upstreams.end(), is_open))
    broken.emplace_back("the pool is gone and a connection to an upstream is not");
  if (evidence.places_left > 0) broken.emplace_back("a place at an upstream server was not given back");
  for (Gauge gauge : {Gauge::sessions, Gauge::tls_sessions, Gauge::upstream_open, Gauge::upstream_idle}) {
    if (evidence.counters->get(gauge) != 0)
      broken.push_back("all is over and the gauge " + std::string(name(gauge)) + " is not 0");
  }
}

}  // namespace

std::vector<std::string> broken_invariants(const Evidence& evidence, const std::set<Invariant>& excused) {
  Talks talks = read_talks(evidence);
  Broken broken;
  auto is_due = [&](Invariant invariant) { return excused.count(invariant) == 0; };
  if (is_due(Invariant::acknowledgement)) check_acknowledgement(evidence, talks, broken);
  if (is_due(Invariant::one_meaning)) check_one_meaning(evidence, talks, broken);
  if (is_due(Invariant::framing)) check_framing(evidence, talks, broken);
  if (is_due(Invariant::order)) check_order(evidence, talks, broken);
  if (is_due(Invariant::no_echo)) check_no_echo(evidence, talks, broken);
  if (is_due(Invariant::recorded_once)) check_recorded_once(evidence, broken);
  if (is_due(Invariant::no_mistake)) check_no_mistake(evidence, broken);
  if (is_due(Invariant::time)) check_time(evidence, talks, broken);
  if (is_due(Invariant::nothing_left)) check_nothing_left(evidence, broken);
  return broken;
}

}  // namespace sallyport::session
