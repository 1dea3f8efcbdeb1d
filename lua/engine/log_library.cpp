// sp.log: lines of rules in the gateway's log, few and short. The log escapes what a terminal must not see.
#include <array>
#include <string>
#include <vector>

#include "gateway/base/log.h"
#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/rule.h"

namespace sallyport::lua {

namespace {

constexpr std::size_t most_taken_octets = 64u << 10;
constexpr std::size_t most_logged_octets = 400;
constexpr std::uint64_t line_steps = 200;
constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

LogLevel level_at(lua_State* L, int index) {
  const std::string_view name = to_text(L, index);
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (level_names[i] == name) return static_cast<LogLevel>(i);
  }
  luaL_argerror(L, index, "expected \"debug\", \"info\", \"warning\" or \"error\"");
  return LogLevel::info;
}

int log(lua_State* L) {
  const LogLevel level = level_at(L, 1);
  const std::string_view text = to_text(L, 2).substr(0, most_logged_octets);
  Context& context = Context::of(L);
  if (context.loading) return luaL_error(L, "sp.log is there only while a rule runs");
  context.meter.spend(L, line_steps);
  bool is_written = false;
  if (context.gathering && context.allowance && context.allowance->log_lines > 0) {
    --context.allowance->log_lines;
    const policies::GatherContext& gathering = *context.gathering;
    RuleLines& lines = context.lines_of(*context.rule);
    is_written = lines.take(gathering.scheduler.now());
    if (is_written) {
      std::vector<LogField> fields = {{"id", context.mail->id},
                                      {"tenant", context.mail->tenant.name},
                                      {"rule", context.rule->name},
                                      {"text", text}};
      const auto dropped = static_cast<std::int64_t>(lines.take_dropped());
      if (dropped > 0) fields.push_back({"dropped", dropped});
      gathering.log.write(level, "rule", fields);
    }
  }
  lua_pushboolean(L, is_written);
  return 1;
}

constexpr Function functions[] = {
    {.name = "log",
     .about = "Writes a line `event=rule` with the text, the rule and the mail into the log. All rules together may "
              "write 20 lines for one mail, and a rule 60 in a minute; further ones are dropped. Of those that were "
              "too many "
              "in a minute the rule's next line says how many.",
     .call = log,
     .arguments = {{{.name = "level",
                     .kind = Kind::line,
                     .about = "The settings may hide the lower ones.",
                     .most = 16,
                     .type = "\"debug\"|\"info\"|\"warning\"|\"error\""},
                    {"text", Kind::text, "At most 400 octets of it are written.", true, 0, most_taken_octets}}},
     .returns = {{{"boolean", "written"}}}},
};

}  // namespace

const Library log_library{.path = "sp", .about = "The log.", .functions = functions};

}  // namespace sallyport::lua
