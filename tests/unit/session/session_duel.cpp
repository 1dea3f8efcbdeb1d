#include "tests/unit/session/session_duel.h"

#include <algorithm>
#include <deque>

#include "gateway/base/text.h"
#include "tests/unit/session/conversation.h"
#include "tests/unit/session/dialogue_client.h"
#include "tests/unit/session/session_model.h"
#include "tests/unit/session/session_peers.h"
#include "tests/unit/session/world.h"

namespace sallyport::session {

namespace {

std::string joined(const std::vector<std::string>& words) { return text::join(words, ", "); }

std::string code_of(const SaidReply& reply) {
  std::string code = std::to_string(reply.code);
  return reply.enhanced.empty() ? code : code + " " + reply.enhanced;
}

class Duel {
 public:
  explicit Duel(const Script& script) : script_(script), upstream_(script.setting), model_(script.setting) {
    const Setting& setting = script.setting;
    config::Settings& settings = world_->settings;
    settings.limits.message_size = script_message_size;
    settings.limits.text_line = script_text_line;
    settings.limits.recipients = script_recipients;
    settings.limits.bdat_chunks = script_chunks;
    settings.limits.unknown_recipients = script_refused_recipients;
    settings.limits.unknown_recipients_close = script_refused_recipients;
    settings.limits.errors_per_session = setting.errors;
    settings.limits.junk_commands = setting.junk;
    if (setting.spools) settings.limits.memory_per_message = 256;
    settings.upstreams["default"].max_connections = 1;
    settings.tenants["sister"] = {"sister", {"sister.example"}, "default", {}};
    settings.tenants["other"] = {"other", {"other.example"}, "other", {}};
    settings.upstreams["other"] = settings.upstreams["default"];
    settings.upstreams["other"].name = "other";
    settings.upstreams["other"].servers = {second_server};
    world_->listener.settings.bare_newline =
        setting.rejects_bare ? config::BareNewlinePolicy::reject : config::BareNewlinePolicy::normalize;
    world_->listener.settings.require_tls = setting.requires_tls;
    if (setting.starttls) world_->listener.tls = common_server_context();
    if (setting.has_policy) world_->add(std::make_unique<PlannedPolicy>(setting.at_connect));
    world_->watches_content = setting.watches;
    listen();
  }

  std::string play() {
    if (script_.setting.handshakes) {
      auto client = connect_before_tls(*world_);
      starttls_client_ = client.get();
      client_ = std::move(client);
    } else {
      client_ = connect_in_the_clear(*world_);
    }
    expect(model_.greeting());
    settle();
    for (std::size_t i = 0; i < script_.steps.size() && quarrel_.empty() && !model_.is_over(); ++i) {
      step_ = i;
      play_step(script_.steps[i], i + 1 == script_.steps.size());
    }
    if (!segment_.empty()) {  // the session ended in the middle of a group of steps: their rest is not answered
      segment_ += "NOOP\r\n";
      send({segment_.size()});
    }
    if (quarrel_.empty()) part();
    if (quarrel_.empty()) compare_commits();
    end_world();
    return quarrel_;
  }

 private:
  void listen() {
    is_listening_ = true;
    for (SocketAddress server : {first_server, second_server})
      world_->dialer.serve(server, [this](auto stream) { return upstream_.serve(std::move(stream)); });
  }

  void play_step(const Step& step, bool is_last) {
    std::string line = line_of(step);
    if (line.empty()) return play_event(step);
    bool is_cut_off = is_last && script_.breaks_off && !step.content.empty() && !step.at_once;
    bool sends_chunk = step.kind == Step::Kind::chunk;
    std::string body = is_cut_off ? step.content.substr(0, step.content.size() / 2) : step.content;
    std::string octets = line + (sends_chunk ? body : "");

    // Sends content without waiting for 354, which is an error whether or not DATA is allowed here.
    bool rushes = step.kind == Step::Kind::data && step.at_once;
    if (rushes) octets += step.content + "\r\n.\r\n";

    segment_ += octets;
    std::size_t line_end = segment_.size() - octets.size() + line.size();
    bool is_full = segment_.size() > io::block_octets / 2;  // a segment must fit into one block
    bool has_more = !step.is_alone && !is_last && !is_full && !awaits_an_event_next();
    std::vector<std::size_t> ends = segment_ends(step, segment_.size() - octets.size(), octets.size(), !has_more);
    // A cut at this point would make it correct.
    if (rushes) ends.erase(std::remove(ends.begin(), ends.end(), line_end), ends.end());
    bool ends_there = std::find(ends.begin(), ends.end(), line_end) != ends.end();
    bool is_followed = !ends_there && (line_end < segment_.size() || has_more);
    bool is_chunk_cut_off = is_cut_off && sends_chunk;
    expect(model_.play(step, is_followed, is_chunk_cut_off));
    send(ends, is_chunk_cut_off);
    if (model_.awaits_content()) {
      if (!segment_.empty()) send({segment_.size()});
      play_content(step, is_cut_off);
    }
    if (model_.awaits_handshake()) play_broken_handshake();
    if (step.kind == Step::Kind::starttls && model_.is_secured() && !is_secured_) {
      is_secured_ = true;
      if (!starttls_client_->start_tls()) disagree("the handshake fails");
    }
  }

  // The client waits for the reply to DATA, except in a step with `at_once`.
  void play_content(const Step& step, bool is_cut_off) {
    std::string content = step.content + "\r\n.\r\n";
    if (is_cut_off) content.resize(step.content.size() / 2);
    expect(model_.play_content(content, is_cut_off));
    segment_ = content;
    send(segment_ends(step, 0, content.size(), true), is_cut_off);
  }

  void play_broken_handshake() {
    client_->say("EHLO in the clear\r\n");  // answered with an alert
    if (!world_->is_over()) disagree("a broken handshake does not end the session");
  }

  void play_event(const Step& step) {
    model_.play(step, false, false);
    switch (step.kind) {
      case Step::Kind::hang_up:
        upstream_.hang_up();
        is_listening_ = is_listening_ && !step.last;
        if (step.last) {
          for (SocketAddress server : {first_server, second_server}) world_->dialer.fail(server, io::Error::refused);
        }
        world_->loop.run();
        break;
      case Step::Kind::come_back:
        listen();
        break;
      default:
        world_->advance(std::chrono::seconds(3));
        if (step.last && is_listening_) need_places();
    }
  }

  // Somebody else's mails, which are over at once.
  void need_places() {
    async::Nursery others(world_->loop.scheduler());
    for (const auto& [name, group] : world_->host->snapshot->shared->upstreams) others.spawn(need_place(*group));
    world_->loop.run();
    if (others.size() > 0) disagree("a place is needed, and not given up");
  }
  Task<void> need_place(const upstream::UpstreamGroup& group) {
    std::vector<upstream::FailedServer> failed;
    const upstream::UpstreamPool::Wish wish{.deadline = world_->loop.now() + std::chrono::seconds(30)};
    auto lease = co_await world_->pool->acquire(group, failed, wish);
    if (lease) world_->pool->give_back(std::move(*lease), false);
  }

  bool awaits_an_event_next() const {
    return step_ + 1 < script_.steps.size() && line_of(script_.steps[step_ + 1]).empty();
  }

  // The ends of segments, counted from the beginning of the waiting octets: at the step's own cuts, and at the end of
  // the step when it is the last of its group.
  static std::vector<std::size_t> segment_ends(const Step& step, std::size_t begin, std::size_t octets, bool at_end) {
    std::vector<std::size_t> ends;
    for (std::uint16_t cut : step.cuts) {
      if (octets > 0) ends.push_back(begin + 1 + cut % octets);
    }
    if (at_end) ends.push_back(begin + octets);
    std::sort(ends.begin(), ends.end());
    ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    return ends;
  }

  void send(const std::vector<std::size_t>& ends, bool and_leave = false) {
    std::size_t sent = 0;
    for (std::size_t end : ends) {
      heard_ += client_->say(std::string_view(segment_).substr(sent, end - sent));
      sent = end;
    }
    segment_.erase(0, sent);
    if (and_leave) leave();
    if (!ends.empty()) settle();
  }

  void leave() {
    heard_ += client_->heard();
    if (script_.resets && !starttls_client_) {
      world_->client->reset();
    } else {
      client_->leave();
    }
    world_->loop.run();
  }

  void expect(const SessionModel::Replies& replies) {
    expected_.insert(expected_.end(), replies.begin(), replies.end());
  }

  // Compares the replies: everything sent completely is answered by now, and nothing else is.
  void settle() {
    heard_ += client_->heard();
    SaidReplies said = read_replies(heard_);
    std::vector<std::string> answers;
    for (const SaidReply& reply : said.replies) {
      answers.push_back(code_of(reply));
      if (reply.text.starts_with("250-mx.example.com greets")) compare_offer(reply.text);
    }
    std::string left_over(said.left_over);
    bool is_settled = segment_.empty();
    std::vector<std::string> expected(expected_.begin(), expected_.end());
    bool agrees = answers.size() <= expected.size() && std::equal(answers.begin(), answers.end(), expected.begin()) &&
                  (!is_settled || answers.size() == expected.size()) && left_over.empty();
    if (!agrees) disagree("the model says: " + joined(expected) + "; the session: " + joined(answers) + left_over);
    if (is_settled && world_->is_over() != model_.is_over() && !model_.awaits_handshake())
      disagree(model_.is_over() ? "the model ends, the session does not" : "the session ends, the model does not");
    auto answered = std::min(answers.size(), expected_.size());
    expected_.erase(expected_.begin(), expected_.begin() + static_cast<std::ptrdiff_t>(answered));
    heard_.clear();
  }

  void compare_offer(const std::string& reply) {
    std::vector<std::string> keywords;
    auto lines = text::split(reply, '\n');
    for (std::size_t i = 1; i + 1 < lines.size(); ++i)
      keywords.emplace_back(lines[i].substr(4, lines[i].find_first_of(" \r", 4) - 4));
    std::sort(keywords.begin(), keywords.end());
    if (keywords != model_.offer())
      disagree("the model offers: " + joined(model_.offer()) + "; the session: " + joined(keywords));
  }

  void part() {
    if (script_.breaks_off && !world_->is_over()) {
      heard_ += client_->say("NOO");
      leave();
      if (!world_->is_over()) disagree("the client has left and the session is not over");
    } else if (!world_->is_over()) {
      segment_ = "QUIT\r\n";
      expect({"221 2.0.0"});
      heard_ += client_->say(std::exchange(segment_, {}));
      if (!heard_.starts_with("221 2.0.0 ") || !world_->is_over()) disagree("QUIT is answered: " + heard_);
    }
  }

  // A broken invariant counts as a difference, too.
  void end_world() {
    world_->on_broken_invariant = [this](const std::string& what) { disagree(what); };
    client_.reset();
    world_.reset();
  }

  void compare_commits() {
    const auto& wanted = model_.committed();
    const auto& taken = upstream_.committed;
    for (std::size_t i = 0; i < std::max(wanted.size(), taken.size()); ++i) {
      if (i < wanted.size() && i < taken.size() && wanted[i] == taken[i]) continue;
      disagree("message " + std::to_string(i + 1) + ": the model commits " +
               (i < wanted.size() ? to_text(wanted[i]) : "none") + "; the upstream has taken " +
               (i < taken.size() ? to_text(taken[i]) : "none"));
      return;
    }
  }
  static std::string to_text(const Committed& message) {
    return message.mail + ", " + joined(message.rcpts) + ": \"" + text::printable(message.content, 2000) + "\"";
  }

  void disagree(const std::string& what) {
    if (quarrel_.empty()) quarrel_ = "at step " + std::to_string(step_ + 1) + ": " + what;
  }

  const Script& script_;
  ObedientUpstream upstream_;
  std::unique_ptr<World> world_ = std::make_unique<World>();
  std::unique_ptr<DialogueClient> client_;
  StarttlsClient* starttls_client_ = nullptr;  // points to client_ when that is a StarttlsClient
  bool is_secured_ = false;
  bool is_listening_ = false;
  SessionModel model_;
  std::string segment_;  // octets that are not sent yet
  std::string heard_;
  std::deque<std::string> expected_;
  std::size_t step_ = 0;
  std::string quarrel_;
};

}  // namespace

std::string play_duel(const Script& script) { return Duel(script).play(); }

}  // namespace sallyport::session
