// One question to one server: by UDP, and by TCP when UDP does not do.
//
// What an off-path spoofer would have to guess for every question: our port (a socket of its own, bound to a random
// one), the id, and the case of the name's letters (RFC 5452, 0x20). What does not match is ignored and recorded;
// somebody who keeps trying moves the question to TCP (threats.md D1, D2, D5).
#pragma once

#include "gateway/async/scheduler.h"
#include "gateway/dns/wire.h"
#include "gateway/io/datagram.h"
#include "gateway/io/dialer.h"
#include "gateway/resolver/entropy.h"
#include "gateway/resolver/recorder.h"

namespace sallyport::resolver {

// How questions leave the house. The members outlive the tasks below.
struct Transport {
  io::DatagramDialer& datagrams;
  io::Dialer& connections;
  Recorder& recorder;
  Entropy& entropy;
  bool use_0x20 = true;
};

// What came of asking one server.
struct Heard {
  enum class Kind {
    answer,   // noerror or nxdomain: the response says what is
    failure,  // an error of the server, or no proper answer: another server may do better
    silence,  // nothing in time
  };
  Kind kind = Kind::failure;
  dns::Response response;
};

// Asks by UDP until `patience`, which is no later than `deadline`; TCP may take until `deadline`. With EDNS, and once
// more without when the server does not know EDNS: `use_edns` remembers it for the question's next server.
Task<Heard> ask_server(Transport& transport, SocketAddress server, const dns::Question& question, bool& use_edns,
                       Time patience, Time deadline);

}  // namespace sallyport::resolver
