#!/bin/sh
# Makes throw-away self-signed certificates for development and tests.
#
#   certs/make-dev-certs.sh DIR [NAME]
#
# DIR/fullchain.pem and DIR/privkey.pem are ECDSA P-256, DIR/rsa/ holds the same for RSA 2048, all for NAME [localhost],
# 127.0.0.1 and ::1, for one year. Certificates of this NAME that are good for a week more are left as they are.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: $0 DIR [NAME]" >&2
  exit 64
fi
directory=$1
name=${2:-localhost}
case $name in
  '' | *[!A-Za-z0-9.*_-]*)
    echo "$0: not a host name: $name" >&2
    exit 64
    ;;
esac
umask 077

is_good() {
  [ -s "$1/fullchain.pem" ] && [ -s "$1/privkey.pem" ] &&
    openssl x509 -in "$1/fullchain.pem" -noout -checkend 604800 >/dev/null 2>&1 &&
    openssl x509 -in "$1/fullchain.pem" -noout -ext subjectAltName | grep -qF "DNS:$name,"
}

# make DIR ALGORITHM OPTION: the pair appears complete, under names that nobody reads before.
make() {
  mkdir -p "$1"
  is_good "$1" && return
  openssl req -x509 -newkey "$2" -pkeyopt "$3" -nodes -sha256 -days 365 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name,IP:127.0.0.1,IP:::1" \
    -keyout "$1/privkey.pem.new" -out "$1/fullchain.pem.new" 2>/dev/null
  chmod 0600 "$1/privkey.pem.new"
  chmod 0644 "$1/fullchain.pem.new"
  mv -f "$1/privkey.pem.new" "$1/privkey.pem"
  mv -f "$1/fullchain.pem.new" "$1/fullchain.pem"
}

make "$directory" ec ec_paramgen_curve:P-256
make "$directory/rsa" rsa rsa_keygen_bits:2048
