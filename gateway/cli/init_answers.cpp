#include "gateway/cli/init_answers.h"

#include <algorithm>
#include <filesystem>
#include <istream>
#include <ostream>
#include <set>
#include <utility>

#include "gateway/base/address.h"
#include "gateway/base/byte_order_mark.h"
#include "gateway/base/domain_name.h"
#include "gateway/base/endpoint.h"
#include "gateway/base/text.h"
#include "gateway/settings/value_types.h"

namespace sallyport::cli {
namespace {

constexpr std::uint16_t smtp_port = 25;
constexpr std::uint16_t dns_port = 53;

std::vector<std::string> words_of_list(std::string_view list) {
  std::string spaced(list);
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::vector<std::string> words;
  std::string_view rest = spaced;
  for (std::string_view word = text::take_word(rest); !word.empty(); word = text::take_word(rest))
    words.emplace_back(word);
  return words;
}

std::string_view without_quotes(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return value;
}

bool is_mail_domain(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  return is_domain_name(name, true, true);
}

Result<Done> check_hostname(const InitAnswers& answers) {
  if (is_domain_name(answers.hostname, false) && answers.hostname.find('.') != std::string::npos &&
      !IpAddress::parse(answers.hostname))
    return Done{};
  const std::string expected = "expected the full name of this host, such as mx1.example.com (--hostname)";
  return Failure{answers.hostname.empty() ? expected : "\"" + answers.hostname + "\" is none: " + expected};
}
Result<Done> check_domains(const InitAnswers& answers) {
  if (answers.domains.empty()) return Failure{"expected the domains to take mail for, such as example.com (--domain)"};
  for (const std::string& domain : answers.domains) {
    if (!is_mail_domain(domain))
      return Failure{"\"" + domain + "\" is no domain; expected one such as example.com (--domain)"};
  }
  return Done{};
}
Result<Done> check_upstream(const InitAnswers& answers) {
  const std::string expected = "expected your mail server's address or name, such as 10.0.0.5:25 (--upstream)";
  if (answers.upstream.empty()) return Failure{expected};
  if (Endpoint::parse(answers.upstream, smtp_port)) return Done{};
  return Failure{"\"" + answers.upstream + "\" is none: " + expected};
}
Result<Done> check_certificate(const InitAnswers& answers) {
  std::error_code error;
  if (std::filesystem::is_regular_file(answers.certificate, error))
    return Failure{answers.certificate +
                   " is a file: name the directory that fullchain.pem and privkey.pem are in (--cert)"};
  if (!answers.certificate.empty()) return Done{};
  return Failure{"expected a directory with fullchain.pem and privkey.pem, or none (--cert)"};
}
Result<Done> check_dns(const InitAnswers& answers) {
  for (const std::string& server : answers.dns) {
    const auto endpoint = Endpoint::parse(server, dns_port);
    if (!endpoint || endpoint->is_name() || endpoint->is_unix())
      return Failure{"\"" + server + "\" is no address of a DNS server, such as 127.0.0.1 (--dns)"};
  }
  return Done{};
}
Result<Done> check_listen(const InitAnswers& answers) {
  if (answers.listen.empty()) return Done{};
  const auto endpoint = Endpoint::parse(answers.listen, smtp_port);
  if (endpoint && !endpoint->is_name() && !endpoint->is_unix()) return Done{};
  return Failure{"\"" + answers.listen + "\" is no address to listen at, such as 0.0.0.0:25 (--listen)"};
}

using Check = Result<Done> (*)(const InitAnswers&);

struct Question {
  const char* text;
  bool (*is_answered)(const InitAnswers&);
  void (*take)(std::string_view, InitAnswers&);
  Check check;
};

const Question questions_to_ask[] = {
    {"Full name of this host, as in your MX records (such as mx1.example.com): ",
     [](const InitAnswers& answers) { return !answers.hostname.empty(); },
     [](std::string_view line, InitAnswers& answers) { answers.hostname = line; }, check_hostname},
    {"Domains to take mail for (such as example.com example.org): ",
     [](const InitAnswers& answers) { return !answers.domains.empty(); },
     [](std::string_view line, InitAnswers& answers) { answers.domains = words_of_list(line); }, check_domains},
    {"Your mail server behind it (address or name, such as 10.0.0.5:25): ",
     [](const InitAnswers& answers) { return !answers.upstream.empty(); },
     [](std::string_view line, InitAnswers& answers) { answers.upstream = line; }, check_upstream},
    {"Directory with fullchain.pem and privkey.pem (empty: none, and no TLS): ",
     [](const InitAnswers& answers) { return !answers.certificate.empty(); },
     [](std::string_view line, InitAnswers& answers) { answers.certificate = line.empty() ? "none" : line; },
     check_certificate},
    {"DNS servers to ask (empty: those of /etc/resolv.conf): ",
     [](const InitAnswers& answers) { return !answers.dns.empty(); },
     [](std::string_view line, InitAnswers& answers) { answers.dns = words_of_list(line); }, check_dns},
};

std::string with_port(const std::string& text, std::uint16_t port) {
  const auto endpoint = Endpoint::parse(text, port);
  return endpoint ? endpoint->to_string() : text;
}

std::string list_of(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  quoted.reserve(texts.size());
  for (const std::string& one : texts) quoted.push_back(settings::quote(one));
  return "[" + text::join(quoted, ", ") + "]";
}

}  // namespace

Result<Done> read_answers(std::string_view text, InitAnswers& answers) {
  text = without_byte_order_mark(text);
  const InitAnswers before = answers;
  std::set<std::string> given;
  std::size_t number = 0;
  for (std::string_view line : text::split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = text::trim(line);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    const auto failed = [&](const std::string& what) {
      return Failure{"line " + std::to_string(number) + ": " + what};
    };
    if (equals == line.npos) return failed("expected key = value");
    const std::string key(text::trim(line.substr(0, equals)));
    const std::string value(without_quotes(text::trim(line.substr(equals + 1))));
    const auto one = [&value](std::string& to) {
      if (to.empty()) to = value;
    };
    const auto several = [&](const std::vector<std::string>& was, std::vector<std::string>& to) {
      if (!was.empty()) return;
      for (std::string& word : words_of_list(value)) to.push_back(std::move(word));
    };
    const bool is_list = key == "domains" || key == "domain" || key == "dns";
    if (!given.insert(key).second && !is_list) return failed(key + " is given more than once");
    if (key == "hostname") {
      one(answers.hostname);
    } else if (key == "domains" || key == "domain") {
      several(before.domains, answers.domains);
    } else if (key == "upstream") {
      one(answers.upstream);
    } else if (key == "certificate" || key == "cert") {
      one(answers.certificate);
    } else if (key == "dns") {
      several(before.dns, answers.dns);
    } else if (key == "listen") {
      one(answers.listen);
    } else if (key == "state") {
      one(answers.state);
    } else if (key == "log") {
      one(answers.log);
    } else if (key == "mode") {
      if (value != "shadow" && value != "enforce") return failed("mode is shadow or enforce");
      answers.shadow = answers.shadow || value == "shadow";
    } else {
      const std::string_view meant = text::did_you_mean(
          key, {"hostname", "domains", "upstream", "certificate", "dns", "listen", "state", "log", "mode"});
      return failed("unknown key " + key + (meant.empty() ? "" : ", did you mean " + std::string(meant) + "?"));
    }
  }
  return Done{};
}

Result<Done> ask_for_answers(std::istream& input, std::ostream& questions, InitAnswers& answers) {
  for (const Question& question : questions_to_ask) {
    while (!question.is_answered(answers)) {
      questions << question.text << std::flush;
      std::string line;
      if (!std::getline(input, line)) return Failure{"the answers have ended before the questions"};
      InitAnswers tried = answers;
      question.take(text::trim(line), tried);
      const auto checked = question.check(tried);
      if (!checked) {
        questions << "  " << checked.error().message << "\n";
        continue;
      }
      answers = std::move(tried);
      break;  // an empty answer may be one
    }
  }
  return Done{};
}

Result<Done> check_answers(const InitAnswers& answers) {
  for (const Check check :
       {check_hostname, check_domains, check_upstream, check_certificate, check_dns, check_listen}) {
    auto checked = check(answers);
    if (!checked) return checked;
  }
  return Done{};
}

std::string configuration_of(const InitAnswers& answers) {
  using settings::quote;
  std::string text =
      "# Written by `sallyport init`. `sallyport config explain KEY` tells of each key; after a change:\n"
      "# `sallyport check`, then `sallyport reload`.\n\n";
  text += "# The name this host greets with; its MX records, its certificate and its reverse DNS have it too.\n";
  text += "hostname = " + quote(answers.hostname) + "\n";
  text += "# Mail for these domains is taken, and for no others.\n";
  text += "domains = " + list_of(answers.domains) + "\n";
  text += "# The mail server behind. It gets what was accepted, and its answer is the client's.\n";
  text += "upstream = " + quote(with_port(answers.upstream, smtp_port)) + "\n";
  if (!answers.listen.empty()) text += "\n[[listen]]\naddress = " + quote(with_port(answers.listen, smtp_port)) + "\n";
  if (answers.certificate != "none") {
    const std::string directory = std::filesystem::absolute(answers.certificate).lexically_normal().string();
    text += "\n# A directory with fullchain.pem and privkey.pem.\n[tls]\ncert = " + quote(directory) + "\n";
  }
  if (!answers.dns.empty()) {
    std::vector<std::string> servers;
    for (const std::string& server : answers.dns) servers.push_back(with_port(server, dns_port));
    text += "\n[dns]\nservers = " + list_of(servers) + "\n";
  }
  if (answers.shadow) {
    text +=
        "\n# Checks write into the log what they would have done, and change nothing. `sallyport report` sums it up;\n"
        "# take this out when you like what you see.\n[policy]\nmode = \"shadow\"\n";
  }
  if (!answers.state.empty())
    text += "\n[state]\npath = " + quote(std::filesystem::absolute(answers.state).string()) + "\n";
  if (!answers.log.empty()) text += "\n[log]\ntarget = " + quote(answers.log) + "\n";
  return text;
}

}  // namespace sallyport::cli
