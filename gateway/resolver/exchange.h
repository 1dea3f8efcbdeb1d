// ask_server(): asks one server one question, by UDP and if necessary by TCP.
//
// An off-path attacker would have to guess for every question: our port (each question has its own socket on a random
// port), the id, and the case of the name's letters (RFC 5452, 0x20). A packet that does not match is ignored and
// recorded; after 20 of them the question moves to TCP (threats.md D1, D2, D5).
#pragma once

#include "gateway/async/scheduler.h"
#include "gateway/dns/wire.h"
#include "gateway/io/datagram.h"
#include "gateway/io/dialer.h"
#include "gateway/resolver/entropy.h"
#include "gateway/resolver/recorder.h"

namespace sallyport::resolver {

// What is needed to send questions. The members must outlive the tasks below.
struct Transport {
  io::DatagramDialer& datagrams;
  io::Dialer& connections;
  Recorder& recorder;
  Entropy& entropy;
  bool use_0x20 = true;
};

// The outcome of asking one server.
struct Heard {
  enum class Kind {
    answer,   // noerror or nxdomain: the response answers the question
    failure,  // the server reported an error, or its answer is unusable: another server may do better
    silence,  // no answer in time
    unasked,  // there was no socket for the question: a shortage of ours, which says nothing about the server
  };
  Kind kind = Kind::failure;
  dns::Response response;
};

// Asks by UDP until `patience` (at most `deadline`); TCP may take until `deadline`. Asks with EDNS, and again without
// if the server does not know EDNS; `use_edns` is then set to false for the caller's next server.
Task<Heard> ask_server(Transport& transport, SocketAddress server, const dns::Question& question, bool& use_edns,
                       Time patience, Time deadline);

}  // namespace sallyport::resolver
