# shellcheck shell=sh
# The server that answers the benchmarks, for tests/bench/run to include: Debian's nginx, with a CA of its own.
#
# start_server FOLDER PROGRAM says in the environment where it is (tests/bench/server.h); stop_server ends it.

server_pid=
PATH=$PATH:/usr/sbin

can_serve() {
    command -v nginx >/dev/null && command -v openssl >/dev/null
}

# A CA, and a certificate for 127.0.0.1 that it signed; and a folder of the system's CAs and this one.
make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=nexauth bench CA' \
        -keyout "$1/ca.key" -out "$1/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=127.0.0.1' \
        -keyout "$1/server.key" -out "$1/server.csr" 2>/dev/null
    printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >"$1/server.ext"
    openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 2 \
        -extfile "$1/server.ext" -out "$1/server.pem" 2>/dev/null
    mkdir "$1/cas"
    for authority in /etc/ssl/certs/*.[0-9]; do
        [ ! -e "$authority" ] || ln -s "$authority" "$1/cas/"
    done
    cp "$1/ca.pem" "$1/cas/$(openssl x509 -hash -noout -in "$1/ca.pem").0"
}

# One server of nginx: listen ADDRESS DIRECTIVE...
listen() {
    echo "server { listen $1;"
    shift
    [ $# -eq 0 ] || printf '%s;\n' "$@"
    echo "location = /connect/token { default_type application/json; return 200 '$(cat "$folder/answer")'; } }"
}

configure() {
    tls="ssl_certificate $folder/server.pem;ssl_certificate_key $folder/server.key;ssl_protocols TLSv1.2 TLSv1.3"
    cat <<END
daemon off;
master_process off;
pid $folder/nginx.pid;
error_log $folder/error.log error;
events { worker_connections 1024; }
http {
access_log off;
keepalive_requests 1000000000;
keepalive_timeout 3600s;
keepalive_time 24h;
client_body_temp_path $folder/body;
proxy_temp_path $folder/proxy;
fastcgi_temp_path $folder/fastcgi;
scgi_temp_path $folder/scgi;
uwsgi_temp_path $folder/uwsgi;
$(listen "127.0.0.1:$1")
$(listen "127.0.0.1:$2 ssl" "$tls")
$(listen "127.0.0.1:$3 ssl http2" "$tls")
$(listen "127.0.0.1:$4 ssl" "$tls" 'keepalive_timeout 5ms')
}
END
}

# A port that was free may be taken by now: then the server does not start, and others are tried.
try_server() {
    folder=$1
    # The ports are four words.
    # shellcheck disable=SC2046
    set -- $("$2" ports 4)
    configure "$@" >"$folder/nginx.conf"
    nginx -p "$folder" -e "$folder/error.log" -c "$folder/nginx.conf" &
    server_pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.1
        kill -0 "$server_pid" 2>/dev/null || break
        [ -s "$folder/nginx.pid" ] || continue
        export BENCH_HTTP="http://127.0.0.1:$1" BENCH_HTTPS="https://127.0.0.1:$2" BENCH_H2="https://127.0.0.1:$3"
        export BENCH_DROPPING="https://127.0.0.1:$4" BENCH_CA_FILE="$folder/ca.pem" BENCH_CA_PATH="$folder/cas"
        return
    done
    stop_server
    return 1
}

start_server() {
    make_certificates "$1"
    "$2" answer | tr -d '\n' >"$1/answer"
    for _ in 1 2 3; do
        try_server "$1" "$2" && return
    done
    cat "$1/error.log" >&2
    return 1
}

stop_server() {
    [ -n "$server_pid" ] || return 0
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}
