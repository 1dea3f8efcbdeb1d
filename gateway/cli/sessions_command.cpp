#include "gateway/cli/sessions_command.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/base/text_safety.h"
#include "gateway/cli/daemon_answer.h"
#include "gateway/cli/quantity_text.h"

namespace sallyport::cli {
namespace {

using control::SessionOrder;
using control::SessionReport;
using control::SessionsRequest;

void declare(Syntax& syntax, SessionsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.value({"--sort", "ORDER",
                "What comes first: age (the oldest; default), idle (whose client is silent longest), held (the most "
                "memory), state (longest in its state)",
                "age idle held state"},
               [&options](const std::string& text) -> Result<Done> {
                 const auto order = from_word<SessionOrder>(text);
                 if (!order) return Failure{"expected age, idle, held or state"};
                 options.request.order = *order;
                 return Done{};
               });
  syntax.value({"--limit", "N", "How many are shown, 1 to 10000; 50 by default"},
               [&options](const std::string& text) -> Result<Done> {
                 const auto number = text::to_number(text, SessionsRequest::most_sessions);
                 if (!number || *number == 0) return Failure{"expected a number from 1 to 10000"};
                 options.request.limit = static_cast<std::size_t>(*number);
                 return Done{};
               });
  syntax.json(options.json);
}

std::string duration_text(std::int64_t milliseconds) {
  constexpr std::int64_t an_hour = 3'600'000;
  const double seconds = static_cast<double>(milliseconds) / 1000;
  return milliseconds < an_hour ? time_text(seconds) : span_text(seconds);
}

std::string_view words_of_order(SessionOrder order) {
  switch (order) {
    case SessionOrder::idle:
      return "those whose client is silent longest first";
    case SessionOrder::held:
      return "those that hold the most first";
    case SessionOrder::state:
      return "those longest in their state first";
    case SessionOrder::age:
      break;
  }
  return "the oldest first";
}

std::string state_text(const SessionReport& session) {
  const bool tells_verb = !session.verb.empty() && session.state == "working";
  return tells_verb ? session.verb : session.state;
}

std::string client_text(const SessionReport& session) {
  const bool is_its_own = session.peer.find(session.client) != std::string::npos;
  return is_its_own ? session.peer : session.client + " by " + session.peer;
}

std::string details_of(const SessionReport& session) {
  std::string details;
  if (session.protocol != "smtp") details += session.protocol + " ";
  if (session.tls) details += "tls ";
  if (!session.helo.empty()) details += "helo=" + session.helo + " ";
  if (session.sender) details += "from=<" + *session.sender + "> rcpt=" + std::to_string(session.recipients) + " ";
  if (!details.empty()) details.pop_back();
  return details;
}

using Cells = std::array<std::string, 9>;

Cells cells_of(const SessionReport& session) {
  return {session.id,
          state_text(session),
          duration_text(session.in_state),
          duration_text(session.age),
          session.idle ? duration_text(*session.idle) : "-",
          octets_text(static_cast<double>(session.held)),
          client_text(session),
          session.tenant.empty() ? "-" : session.tenant,
          details_of(session)};
}

}  // namespace

void print_sessions(std::ostream& out, const control::SessionReports& reports, SessionOrder order) {
  out << reports.sessions.size() << " of " << reports.open << (reports.open == 1 ? " session" : " sessions");
  if (reports.sessions.size() > 1) out << ", " << words_of_order(order);
  out << "\n";
  if (reports.silent_workers > 0)
    out << "missing: the sessions of " << reports.silent_workers
        << (reports.silent_workers == 1 ? " worker that has" : " workers that have") << " not answered in time\n";
  if (reports.sessions.empty()) return;
  std::vector<Cells> rows{{"ID", "STATE", "FOR", "AGE", "SILENT", "HELD", "CLIENT", "TENANT", ""}};
  for (const SessionReport& session : reports.sessions) rows.push_back(cells_of(session));
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = text::showable(row[i]);
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const Cells& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.resize(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

int sessions_command(const SessionsOptions& options, const Console& console) {
  const auto answer = send_to_daemon(options.config_file, control::encode_sessions_request(options.request), console);
  return show(answer, console, control::decode_sessions, [&](const control::SessionReports& reports) {
    if (options.json) {
      console.out << control::sessions_json(reports) << "\n";
    } else {
      print_sessions(console.out, reports, options.request.order);
    }
  });
}

const Command sessions_entry{"sessions", "The sessions that are open in the running daemon, with their states",
                             make_invocation<SessionsOptions, declare, sessions_command>};

}  // namespace sallyport::cli
