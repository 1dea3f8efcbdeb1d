#include "gateway/cli/completion.h"

#include <algorithm>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/cli/command_list.h"
#include "gateway/config/settings_table.h"

namespace sallyport::cli {
namespace {

// A text between single quotes of a shell.
std::string quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string joined(const std::vector<std::string>& words) { return text::join(words, " "); }

// The first words of commands, each once, in the order of --help.
std::vector<std::string> first_words(std::span<const CommandDescription> commands) {
  std::vector<std::string> words;
  for (const CommandDescription& command : commands) {
    const std::string word = command.group().empty() ? command.name : command.group();
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

std::vector<std::string> second_words(std::span<const CommandDescription> commands, std::string_view group) {
  std::vector<std::string> words;
  for (const CommandDescription& command : commands) {
    if (!group.empty() && command.group() == group) words.push_back(command.word());
  }
  return words;
}

std::string about_word(std::span<const CommandDescription> commands, std::string_view word) {
  for (const CommandDescription& command : commands) {
    if (command.name == word) return command.about;
  }
  return std::string(group_about(word));
}

std::vector<std::string> option_names(const CommandDescription& command) {
  std::vector<std::string> names{"-c", "--help"};
  for (const DescribedOption& option : command.options) names.push_back(option.name);
  return names;
}

std::string setting_names() {
  std::vector<std::string> names;
  for (const config::Key& key : config::settings_table()) names.push_back(key.path);
  return joined(names);
}

// The words that its argument can be; "": it takes files, or nothing.
std::string words_of_argument(const CommandDescription& command) {
  if (command.name == "config explain") return setting_names();
  if (command.name == "docs completion") return "bash zsh fish";
  return "";
}

bool takes_files(const CommandDescription& command) {
  return !command.arguments.empty() && words_of_argument(command).empty();
}

bool is_file(const DescribedOption& option) {
  return option.value == "FILE" || option.value == "DIR" || option.value == "DIRECTORY";
}

// Such as -e: one letter.
bool is_short(const DescribedOption& option) { return !option.name.starts_with("--"); }

std::string bash(std::span<const CommandDescription> commands) {
  std::string script =
      "# bash completion for sallyport, made by the program itself: sallyport docs completion bash\n"
      "_sallyport() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=() i\n"
      "  COMPREPLY=()\n"
      "  if [[ $previous == -c || $previous == --config ]]; then\n"
      "    compopt -o filenames\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
      "    return\n"
      "  fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n"
      "      -c|--config) ((i++)) ;;\n"
      "      -*) ;;\n"
      "      *) words+=(\"${COMP_WORDS[i]}\") ;;\n"
      "    esac\n"
      "  done\n"
      "  local choices= files=\n"
      "  case \"${words[0]-} ${words[1]-}\" in\n";
  for (const CommandDescription& command : commands) {
    const std::string pattern = command.group().empty() ? "'" + command.name + " '*" : "'" + command.name + "'";
    const std::string words = words_of_argument(command);
    script += "    " + pattern +
              ") choices=" + quoted(joined(option_names(command)) + (words.empty() ? "" : " " + words)) +
              (takes_files(command) ? " files=yes" : "");
    std::vector<std::string> with_file;
    std::vector<std::string> with_text;
    for (const DescribedOption& option : command.options) {
      if (option.value.empty()) continue;
      if (option.choices.empty()) {
        (is_file(option) ? with_file : with_text).push_back(option.name);
      } else {
        script += "; [[ $previous == " + option.name + " ]] && choices=" + quoted(option.choices);
      }
    }
    if (!with_file.empty())
      script += "; [[ $previous == @(" + text::join(with_file, "|") + ") ]] && choices= files=yes";
    if (!with_text.empty()) script += "; [[ $previous == @(" + text::join(with_text, "|") + ") ]] && choices= files=";
    script += " ;;\n";
  }
  for (const std::string& word : first_words(commands)) {
    const std::vector<std::string> second = second_words(commands, word);
    if (!second.empty()) script += "    '" + word + " '*) choices=" + quoted(joined(second)) + " ;;\n";
  }
  script += "    ' ') choices=" + quoted("-c --help --version " + joined(first_words(commands))) + " ;;\n";
  script +=
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
      "  if [[ -n $files && $current != -* ]]; then\n"
      "    compopt -o filenames\n"
      "    mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\")\n"
      "  fi\n"
      "}\n"
      "complete -F _sallyport sallyport\n";
  return script;
}

// With a backslash before each character that zsh would take for the end of a part.
std::string escaped(std::string_view text, std::string_view ends) {
  std::string escaped;
  for (const char c : text) {
    if (ends.find(c) != ends.npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// What _describe reads: a colon ends the word.
std::string described(std::string_view word, std::string_view about) {
  return quoted(escaped(word, ":") + ":" + std::string(about));
}

std::string zsh_arguments(const CommandDescription& command) {
  std::string text = "_arguments '(-c --config)'{-c,--config}'[The configuration file]:file:_files' '--help'";
  for (const DescribedOption& option : command.options) {
    std::string value;
    if (!option.value.empty()) value = ":" + option.value + ":" + (is_file(option) ? "_files" : " ");
    if (!option.choices.empty()) value = ":" + option.value + ":(" + option.choices + ")";
    text += " " + quoted((option.repeats ? "*" : "") + option.name + "[" + escaped(option.about, "[]:") + "]" + value);
  }
  if (const std::string words = words_of_argument(command); !words.empty()) {
    text += " " + quoted("*:word:(" + escaped(words, "[]*") + ")");
  } else if (takes_files(command)) {
    text += " '*:file:_files'";
  }
  return text;
}

std::string zsh(std::span<const CommandDescription> commands) {
  std::string script =
      "#compdef sallyport\n"
      "# zsh completion for sallyport, made by the program itself: sallyport docs completion zsh\n"
      "_sallyport() {\n"
      "  local -a choices\n"
      "  while (( CURRENT > 3 )) && [[ $words[2] == (-c|--config) ]]; do\n"
      "    words[2,3]=(); (( CURRENT -= 2 ))\n"
      "  done\n"
      "  if (( CURRENT == 3 )) && [[ $words[2] == (-c|--config) ]]; then\n    _files\n    return\n  fi\n"
      "  if (( CURRENT == 2 )); then\n    choices=(";
  for (const std::string& word : first_words(commands)) script += described(word, about_word(commands, word)) + " ";
  script += ")\n    _describe command choices\n    return\n  fi\n  case $words[2] in\n";
  for (const std::string& word : first_words(commands)) {
    const auto second = second_words(commands, word);
    if (second.empty()) {
      const auto command = std::find_if(commands.begin(), commands.end(),
                                        [&](const CommandDescription& one) { return one.name == word; });
      script += "    " + word + ") shift words; (( CURRENT-- )); " + zsh_arguments(*command) + " ;;\n";
      continue;
    }
    script += "    " + word + ")\n      if (( CURRENT == 3 )); then\n        choices=(";
    for (const CommandDescription& command : commands) {
      if (command.group() == word) script += described(command.word(), command.about) + " ";
    }
    script += ")\n        _describe command choices\n        return\n      fi\n      case $words[3] in\n";
    for (const CommandDescription& command : commands) {
      if (command.group() != word) continue;
      script +=
          "        " + command.word() + ") shift 2 words; (( CURRENT -= 2 )); " + zsh_arguments(command) + " ;;\n";
    }
    script += "      esac ;;\n";
  }
  return script + "  esac\n}\n_sallyport \"$@\"\n";
}

std::string fish_value(const DescribedOption& option) {
  if (option.value.empty()) return "";
  if (!option.choices.empty()) return " -x -a " + quoted(option.choices);
  return is_file(option) ? " -r -F" : " -x";
}

std::string fish(std::span<const CommandDescription> commands) {
  std::string script =
      "# fish completion for sallyport, made by the program itself: sallyport docs completion fish\n"
      "complete -c sallyport -f\n"
      "complete -c sallyport -s c -l config -r -F -d 'The configuration file'\n"
      "complete -c sallyport -l help -d 'What there is'\n";
  const std::string first = joined(first_words(commands));
  for (const std::string& word : first_words(commands))
    script += "complete -c sallyport -f -n " + quoted("not __fish_seen_subcommand_from " + first) + " -a " +
              quoted(word) + " -d " + quoted(about_word(commands, word)) + "\n";
  for (const CommandDescription& command : commands) {
    std::string seen = "__fish_seen_subcommand_from " + command.word();
    if (!command.group().empty()) {
      const std::string in_group = "__fish_seen_subcommand_from " + command.group();
      script += "complete -c sallyport -f -n " +
                quoted(in_group + "; and not __fish_seen_subcommand_from " +
                       joined(second_words(commands, command.group()))) +
                " -a " + quoted(command.word()) + " -d " + quoted(command.about) + "\n";
      seen = in_group + "; and " + seen;
    }
    for (const DescribedOption& option : command.options)
      script += "complete -c sallyport -n " + quoted(seen) +
                (is_short(option) ? " -s " + quoted(option.name.substr(1)) : " -l " + quoted(option.name.substr(2))) +
                fish_value(option) + " -d " + quoted(option.about) + "\n";
    if (const std::string words = words_of_argument(command); !words.empty()) {
      script += "complete -c sallyport -f -n " + quoted(seen) + " -a " + quoted(words) + "\n";
    } else if (takes_files(command)) {
      script += "complete -c sallyport -F -n " + quoted(seen) + "\n";
    }
  }
  return script;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell, std::span<const CommandDescription> commands) {
  if (shell == "bash") return bash(commands);
  if (shell == "zsh") return zsh(commands);
  if (shell == "fish") return fish(commands);
  return Failure{"there is completion for bash, zsh and fish, not for \"" + std::string(shell) + "\""};
}

}  // namespace sallyport::cli
