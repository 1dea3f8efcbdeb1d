#include "gateway/cli/manual_page.h"

#include <utility>

#include "gateway/base/version.h"
#include "gateway/cli/all_replies.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/key_path.h"
#include "gateway/config/settings_table.h"

namespace sallyport::cli {
namespace {

class Page {
 public:
  Page(std::string_view name, std::string_view section, std::string_view about) {
    text_ += ".\\\" Made by the program itself: sallyport docs.\n";
    text_ += ".TH " + std::string(name) + " " + std::string(section) + " \"\" \"Sallyport " + std::string(version()) +
             "\" \"Sallyport\"\n";
    heading("NAME");
    text_ += lower(name) + " \\- " + manual_text(about) + "\n";
  }

  void heading(std::string_view title) { text_.append(".SH ").append(title).append("\n"); }
  void subheading(std::string_view title) { text_.append(".SS \"").append(manual_text(title)).append("\"\n"); }
  void paragraph(std::string_view text) { text_.append(".PP\n").append(manual_text(text)).append("\n"); }
  // A term, which may have fonts in it already, and what it means.
  void item(const std::string& term, std::string_view meaning) {
    text_.append(".TP\n").append(term).append("\n").append(manual_text(meaning)).append("\n");
  }
  void line_break(std::string_view text) { text_.append(".br\n").append(manual_text(text)).append("\n"); }
  void raw(std::string_view text) { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  static std::string lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return lower;
  }
  std::string text_;
};

std::string bold(std::string_view text) { return "\\fB" + manual_text(text) + "\\fR"; }
std::string slanted(std::string_view text) { return "\\fI" + manual_text(text) + "\\fR"; }

std::string synopsis(const CommandDescription& command) {
  std::string line = bold("sallyport " + command.name);
  for (const DescribedOption& option : command.options) {
    line += " [" + bold(option.name) + (option.value.empty() ? "" : " " + slanted(option.value)) + "]";
    if (option.repeats) line += "...";
  }
  for (const DescribedArgument& argument : command.arguments)
    line += argument.is_optional ? " [" + slanted(argument.name) + "]" : " " + slanted(argument.name);
  return line;
}

void describe_command(Page& page, const CommandDescription& command) {
  page.subheading(command.name);
  page.raw(".PP\n" + synopsis(command) + "\n");
  page.paragraph(command.about + ".");
  for (const DescribedArgument& argument : command.arguments) page.item(slanted(argument.name), argument.about + ".");
  for (const DescribedOption& option : command.options) {
    const std::string value = option.value.empty() ? "" : " " + slanted(option.value);
    page.item(bold(option.name) + value, option.about + (option.repeats ? ". May be given more than once." : "."));
  }
}

void describe_key(Page& page, const config::Key& key) {
  const settings::Row& row = *key.row;
  page.item(bold(key.path), row.doc);
  page.line_break("Type: " + std::string(row.type->name) + ", " + row.type->expectation());
  if (!row.options.stands_for.empty())
    page.line_break("Short for " + config::full_path(row.options.stands_for, {config::Place("default")}));
  else
    page.line_break("Default: " + (key.by_default ? *key.by_default : std::string("none: it must be given")));
  if (!key.falls_back_to().key.empty())
    page.line_break("Before the default: the value of " + std::string(key.falls_back_to().key));
  page.line_break("After a reload: " + std::string(config::name(row.options.reload)));
}

// The part of a path that the keys of a section have in common.
std::string section_of(std::string_view path) {
  const bool is_policy = path.starts_with("policy.");
  const std::size_t first = path.find('.');
  if (first == path.npos) return {};
  const std::size_t second = is_policy ? path.find('.', first + 1) : first;
  return std::string(path.substr(0, second == path.npos ? first : second));
}

}  // namespace

std::string manual_text(std::string_view text) {
  std::string escaped;
  if (text.starts_with('.') || text.starts_with('\'')) escaped = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else if (c == '"') {
      escaped += "\\(dq";
    } else if (c == '\n') {
      escaped += ' ';
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string manual_of_commands(std::span<const CommandDescription> commands) {
  Page page("SALLYPORT", "8", "an inbound SMTP security gateway");
  page.heading("SYNOPSIS");
  page.raw(".B sallyport\n.I COMMAND\n[\\fB\\-c\\fR \\fIFILE\\fR] ...\n");
  page.heading("DESCRIPTION");
  page.paragraph(
      "Sallyport stands in front of a mail server, checks who sends and what is sent while the client is on the line, "
      "and "
      "relays what it accepts. It has no queue: the reply after a mail's end is that of the server behind.");
  page.paragraph("Data goes to stdout, messages to stderr.");
  page.item("\\fB\\-c\\fR, \\fB\\-\\-config\\fR \\fIFILE\\fR",
            std::string("The configuration file, before or after the command. Default: ") + default_config_file + ".");
  page.item("\\fB\\-\\-help\\fR, \\fB\\-\\-version\\fR", "For the program, and for each command.");
  page.heading("COMMANDS");
  for (const CommandDescription& command : commands) describe_command(page, command);
  page.heading("SIGNALS");
  page.item(
      "SIGTERM, SIGINT",
      "Mail under way is finished, as long as timeouts.drain says; a second one breaks it off, a third ends at once.");
  page.item("SIGHUP", "Takes a changed configuration, and opens the file of the log anew.");
  page.heading("\"EXIT STATUS\"");
  for (const auto& [status, meaning] : exit_statuses) page.item(std::to_string(status), meaning);
  page.heading("FILES");
  page.item(std::string("\\fI") + default_config_file + "\\fR", "The configuration.");
  page.heading("\"SEE ALSO\"");
  page.raw(".BR sallyport.toml (5),\n.BR sallyport\\-replies (7)\n");
  return page.take();
}

std::string manual_of_replies() {
  Page page("SALLYPORT-REPLIES", "7", "what the SMTP security gateway Sallyport answers to clients");
  page.heading("DESCRIPTION");
  page.paragraph(
      "All replies that the gateway gives by itself. What the server behind says is passed on as it is, and rules and "
      "milters may have words of their own. {} stands for what a reply names, such as a domain. Replies that refuse "
      "mail "
      "end with an id, by which the line in the log is found. Codes that begin with 4 are for now: the sender's server "
      "tries again by itself.");
  page.heading("REPLIES");
  for (const DocumentedReply& reply : all_replies()) {
    page.item(
        bold(std::to_string(reply.code) + (reply.dsn.empty() ? "" : " " + reply.dsn)) + " " + manual_text(reply.text),
        reply.when);
    if (!reply.remedy.empty()) page.line_break(reply.remedy);
    if (!reply.kind.empty())
      page.line_break("In the log: " + reply.kind + (reply.ends_session ? ". The connection ends." : ""));
  }
  page.heading("\"SEE ALSO\"");
  page.raw(".BR sallyport (8),\n.BR sallyport.toml (5)\n");
  return page.take();
}

std::string manual_of_settings() {
  Page page("SALLYPORT.TOML", "5", "the configuration of the SMTP security gateway Sallyport");
  page.heading("DESCRIPTION");
  page.paragraph(
      "The file is TOML. An unknown key is an error. Durations are written \"5s\", \"10m\", \"1h\"; sizes \"512\", "
      "\"64KiB\", "
      "\"25MiB\"; rates \"300/1h burst 50\". Relative paths count from the directory of the file they stand in. In a "
      "key, * "
      "stands for a name of your choice, [] for each table of an array, as in [[listen]].");
  page.paragraph(
      "Keys that begin with policy may stand under a tenant too, as tenants.NAME.policy..., and count for its mail "
      "then. "
      "sallyport config explain KEY tells what a key means and what counts now; sallyport check finds what is wrong.");
  page.heading("SETTINGS");
  std::string section;
  for (const config::Key& key : config::settings_table()) {
    if (std::string here = section_of(key.path); here != section || &key == &config::settings_table().front()) {
      section = std::move(here);
      page.subheading(section.empty() ? "At the top of the file" : section);
    }
    describe_key(page, key);
  }
  page.heading("\"SEE ALSO\"");
  page.raw(".BR sallyport (8)\n");
  return page.take();
}

}  // namespace sallyport::cli
