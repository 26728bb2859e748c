#!/bin/sh
# Certificates for queriers of several clusters that ask one another over mutual TLS: one CA, a server's for each host, and one
# for who asks. certificates.sh DIR HOST... writes DIR/ca.{crt,key}, DIR/client.{crt,key} and DIR/HOST.{crt,key}; a CA that is
# there already goes on signing. Needs openssl 1.1.1 or newer.
set -eu
umask 077

[ $# -ge 2 ] || { echo "usage: $0 DIR HOST..." >&2; exit 2; }
dir=$1
shift
mkdir -p "$dir"

if [ ! -e "$dir/ca.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
    -subj "/CN=Strata federation CA" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$dir/ca.key" -out "$dir/ca.crt" 2>/dev/null
fi

# sign NAME USAGE SUBJECT-ALTERNATIVE-NAME
sign() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=$1" \
    -keyout "$dir/$1.key" -out "$dir/$1.csr" 2>/dev/null
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\nsubjectAltName=%s\n' "$2" "$3" \
    > "$dir/$1.ext"
  openssl x509 -req -in "$dir/$1.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -sha256 -days 365 \
    -extfile "$dir/$1.ext" -out "$dir/$1.crt" 2>/dev/null
  rm -f "$dir/$1.csr" "$dir/$1.ext"
}

sign client clientAuth "DNS:client"
for host; do
  case $host in
    *[!0-9.]*) sign "$host" serverAuth "DNS:$host" ;;
    *) sign "$host" serverAuth "IP:$host" ;;
  esac
done
chmod 644 "$dir"/*.crt
echo "wrote certificates for $* to $dir; keep $dir/ca.key away from all of them"
