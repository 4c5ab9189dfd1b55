#!/bin/sh
# arrows_test.sh CHECK - scripts/check-arrows passes what is right and names what is wrong.
set -u
check=$1
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
failed=0

# expect STATUS TEXT: run the check on the tree; its output must hold TEXT.
expect() {
	out=$("$check" "$tree" 2>&1)
	status=$?
	case $status:$out in
	"$1":*"$2"*) ;;
	*)
		echo "want status $1 and '$2', got status $status and: $out"
		failed=1
		;;
	esac
}

# wrong FILE LINE TEXT: a single bad include is named with file and line.
wrong() {
	mkdir -p "$tree/$(dirname "$1")"
	printf '/* head */\n%s\n' "$2" >"$tree/$1"
	expect 1 "$1:2: $3"
	rm "$tree/$1"
}

mkdir -p "$tree/src/base" "$tree/src/ossl" "$tree/src/ca" "$tree/include"
expect 1 "no C files"
printf '#include <string.h>\n' >"$tree/include/scep.h"
printf '#include "base/err.h"\n#include <openssl/evp.h>\n' >"$tree/src/ossl/key.c"
printf '#include "scep.h"\n#include "ca/x.h"\n #  include "store/store.h"\n' >"$tree/src/ca/issue.c"
expect 0 "arrows: 3 files, 6 includes, all one way"

wrong src/base/err.c '#include "ossl/key.h"' 'base: #include ossl/key.h runs against'
wrong src/ca/a.c '#include "http/server.h"' 'ca: #include http/server.h runs against'
wrong src/ca/a.c '#include <http/server.h>' 'ca: #include http/server.h runs against'
wrong src/http/a.c '#include "scep.h"' 'http: #include scep.h runs against'
wrong src/ca/a.c '#include <openssl/x509.h>' 'ca: #include openssl/x509.h belongs in src/ossl/ alone'
wrong src/ca/a.c '#include <sqlite3.h>' 'ca: #include sqlite3.h belongs in src/store/ alone'
wrong src/intune/a.c '#include <curl/curl.h>' 'intune: #include curl/curl.h belongs in src/http/ alone'
wrong src/json/a.c '#include <yaml.h>' 'json: #include yaml.h belongs in src/conf/ alone'
wrong src/ca/a.c '#include "../base/err.h"' 'ca: #include ../base/err.h is relative'
wrong src/ca/a.c '#include "util/x.h"' 'ca: #include util/x.h names no layer'

mkdir "$tree/src/util"
printf '\n' >"$tree/src/util/x.c"
expect 1 'src/util/x.c:1: is in no layer'
exit $failed
