// The names and numbers of the milter protocol, version 6, as libmilter's mfdef.h and mfapi.h have them. Nothing but
// constants; there is no RFC.
//
// An MTA connects to a milter and sends commands; the milter answers most of them. A packet is a length of four octets
// in network order, which counts what follows it, one letter, and data.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sallyport::milter {

// What an MTA sends.
enum class Verb : char {
  abort = 'A',
  body = 'B',
  connect = 'C',
  macros = 'D',
  end_of_message = 'E',
  helo = 'H',
  quit_and_reuse = 'K',  // the SMTP session is over; the connection will carry another one
  header = 'L',
  mail = 'M',
  end_of_header = 'N',
  negotiate = 'O',
  quit = 'Q',
  rcpt = 'R',
  data = 'T',
  unknown = 'U',
};

// What a milter answers.
enum class AnswerLetter : char {
  add_rcpt = '+',
  delete_rcpt = '-',
  add_rcpt_with_parameters = '2',
  shutdown = '4',
  accept = 'a',
  replace_body = 'b',
  go_on = 'c',
  discard = 'd',
  change_sender = 'e',
  connection_failed = 'f',
  add_header = 'h',
  insert_header = 'i',
  change_header = 'm',
  negotiate = 'O',
  progress = 'p',
  quarantine = 'q',
  reject = 'r',
  skip = 's',
  tempfail = 't',
  reply_code = 'y',
};

// What kind of address the command `C` tells of a client (SMFIA_*).
enum class ClientFamily : char { unknown = 'U', unix_domain = 'L', ipv4 = '4', ipv6 = '6' };

inline constexpr std::uint32_t newest_version = 6;
inline constexpr std::uint32_t oldest_version = 2;

// What a milter may do to a message (SMFIF_*).
namespace action {
inline constexpr std::uint32_t add_headers = 0x1;
inline constexpr std::uint32_t change_body = 0x2;
inline constexpr std::uint32_t add_rcpt = 0x4;
inline constexpr std::uint32_t delete_rcpt = 0x8;
inline constexpr std::uint32_t change_headers = 0x10;
inline constexpr std::uint32_t quarantine = 0x20;
inline constexpr std::uint32_t change_sender = 0x40;
inline constexpr std::uint32_t add_rcpt_with_parameters = 0x80;
inline constexpr std::uint32_t set_macro_list = 0x100;
inline constexpr std::uint32_t all = 0x1ff;
inline constexpr std::uint32_t of_version_1 = 0xf;
inline constexpr std::uint32_t before_version_6 = 0x3f;
}  // namespace action

// What a milter does not want to see, or will not answer, and how it speaks (SMFIP_*).
namespace option {
inline constexpr std::uint32_t no_connect = 0x1;
inline constexpr std::uint32_t no_helo = 0x2;
inline constexpr std::uint32_t no_mail = 0x4;
inline constexpr std::uint32_t no_rcpt = 0x8;
inline constexpr std::uint32_t no_body = 0x10;
inline constexpr std::uint32_t no_headers = 0x20;
inline constexpr std::uint32_t no_end_of_header = 0x40;
inline constexpr std::uint32_t silent_header = 0x80;  // no answer to it
inline constexpr std::uint32_t no_unknown = 0x100;
inline constexpr std::uint32_t no_data = 0x200;
inline constexpr std::uint32_t skip = 0x400;            // the milter may answer `skip`
inline constexpr std::uint32_t rejected_rcpts = 0x800;  // the MTA sends recipients that it has refused too
inline constexpr std::uint32_t silent_connect = 0x1000;
inline constexpr std::uint32_t silent_helo = 0x2000;
inline constexpr std::uint32_t silent_mail = 0x4000;
inline constexpr std::uint32_t silent_rcpt = 0x8000;
inline constexpr std::uint32_t silent_data = 0x10000;
inline constexpr std::uint32_t silent_unknown = 0x20000;
inline constexpr std::uint32_t silent_end_of_header = 0x40000;
inline constexpr std::uint32_t silent_body = 0x80000;
inline constexpr std::uint32_t leading_space = 0x100000;  // header values keep the blank behind the colon
inline constexpr std::uint32_t all = 0x1fffff;
inline constexpr std::uint32_t of_version_1 = 0x3f;
inline constexpr std::uint32_t of_version_2 = 0x7f | silent_header;
// Data of 256 KiB or 1 MiB in a packet. They belong to libmilter and the MTA, not to a filter.
inline constexpr std::uint32_t data_256k = 0x10000000;
inline constexpr std::uint32_t data_1m = 0x20000000;
}  // namespace option

// The stages of a session for which a milter may name the macros that it wants (SMFIM_*). Their order is the wire's.
enum class MacroStage : std::uint32_t { connect, helo, mail, rcpt, data, end_of_message, end_of_header };
inline constexpr std::size_t macro_stages = 7;

// The most data in a packet that was not negotiated otherwise; without the letter.
inline constexpr std::uint32_t default_data_octets = 65535;
// The most that is taken from anybody (threats.md F1), the letter included.
inline constexpr std::uint32_t most_packet_octets = 1024 * 1024;

}  // namespace sallyport::milter
