#include "tests/unit/milter_service/mta_world.h"

#include <algorithm>

#include "gateway/base/ensure.h"
#include "gateway/milter/packet.h"

namespace sallyport::milter_service {

namespace {

class JudgedByTest final : public session::TestPolicy {
 public:
  explicit JudgedByTest(const MtaWorld& world) : world_(world) {}
  std::string_view name() const override { return "test"; }
  void judge(policies::Stage stage, const policies::Transaction& mail, const policies::Facts&,
             policies::Verdicts& out) const override {
    world_.judge(stage, mail, out);
  }

 private:
  const MtaWorld& world_;
};

}  // namespace

MtaWorld::MtaWorld() {
  listener.settings.protocol = config::ListenProtocol::milter;
  world.add(std::make_unique<JudgedByTest>(*this));
  // These hold an SMTP dialogue against what went upstream, and there is neither.
  for (auto invariant : {session::Invariant::acknowledgement, session::Invariant::one_meaning}) world.excuse(invariant);
  world.slots.places = 1000;
}

MtaWorld::~MtaWorld() {
  if (mta) mta->reset();
  if (world.host) world.loop.run();
  sessions_.reset();
  session.reset();
}

Task<void> MtaWorld::serve(MtaWorld& world) {
  co_await world.session->run();
  world.session.reset();
}

void MtaWorld::connect(SocketAddress from) {
  world.start();
  if (!sessions_) sessions_ = std::make_unique<async::Nursery>(world.loop.scheduler());
  auto [stream, peer] = support::memory_stream_and_peer(world.loop.scheduler());
  mta = std::make_unique<support::MemoryPeer>(std::move(peer));
  heard_.clear();
  session = std::make_unique<MtaSession>(*world.host, world.host->snapshot, listener, std::move(stream), from,
                                         missing_actions);
  sessions_->spawn(serve(*this));
  run();
}

MtaWorld::Answers MtaWorld::answers() {
  run();
  heard_ += mta->received();
  std::string_view rest = heard_;
  milter::PacketReader reader;
  Answers found;
  while (true) {
    const std::string_view before = rest;
    if (reader.read(rest) != milter::PacketReader::Status::packet) {
      heard_ = before;
      return found;
    }
    found.push_back(reader.packet().letter + std::string(reader.packet().data));
  }
}

MtaWorld::Answers MtaWorld::say_octets(std::string_view octets) {
  mta->send(octets);
  return answers();
}

MtaWorld::Answers MtaWorld::say(const milter::Command& command) {
  std::string octets;
  milter::encode(octets, command);
  return say_octets(octets);
}

void MtaWorld::macros(milter::Verb of, std::vector<std::pair<std::string_view, std::string_view>> values) {
  ensure(say(milter::Macros{of, std::move(values)}).empty(), "macros are answered");
}

MtaWorld::Answers MtaWorld::offer(std::uint32_t version, std::uint32_t actions, std::uint32_t options) {
  return say(milter::Terms{version, actions, options});
}

MtaWorld::Answers MtaWorld::name_client(std::string_view host, SocketAddress address) {
  return say(milter::Connect{host, address, {}});
}

void MtaWorld::open() {
  if (!mta) connect();
  offer();
  name_client();
  ensure(say(milter::Helo{"client.example"}) == Answers{"c"}, "HELO is not accepted");
}

MtaWorld::Answers MtaWorld::mail(std::string_view path) { return say(milter::Mail{path, {}}); }

MtaWorld::Answers MtaWorld::rcpt(std::string_view path) { return say(milter::Rcpt{path, {}}); }

void MtaWorld::begin() {
  ensure(mail() == Answers{"c"}, "MAIL is not accepted");
  ensure(rcpt() == Answers{"c"}, "RCPT is not accepted");
}

MtaWorld::Answers MtaWorld::content(const Fields& fields, std::string_view body) {
  const auto tell = [this](const milter::Command& command) {
    ensure(say(command).empty(), "what needs no answer is answered");
  };
  tell(milter::Data{});
  for (const auto& [name, value] : fields) tell(milter::Header{name, value});
  tell(milter::EndOfHeader{});
  tell(milter::Body{body});
  return say(milter::EndOfMessage{});
}

MtaWorld::Answers MtaWorld::whole(const Fields& fields, std::string_view body) {
  begin();
  return content(fields, body);
}

std::size_t MtaWorld::mails() const {
  const auto& all = world.records.all;
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const record::MailRecord& record) {
    return record.subject == record::Subject::transaction;
  }));
}

}  // namespace sallyport::milter_service
