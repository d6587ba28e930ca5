#!/bin/sh
# sql/compile.awk: good input gives C that compiles, a mistake is named with
# file and line.
: "${srcdir=.}" "${AWK=awk}" "${CC=cc}"
case $srcdir in /*) ;; *) srcdir=$PWD/$srcdir ;; esac
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 99
failed=0

compile() {
	# shellcheck disable=SC2086
	LC_ALL=C $AWK -v out="$1" -f "$srcdir/sql/compile.awk" $files
}

# good NAME: the files in $files are accepted.
good() {
	if compile h >stmts.h 2>err && compile c >stmts.c 2>>err &&
	    $CC -I. -c -o stmts.o stmts.c 2>>err; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		cat err
		failed=1
	fi
}

# has NAME FILE TEXT: the output of the last good case has this line.
has() {
	if grep -F -q -- "$3" "$2"; then
		echo "ok - $1"
	else
		echo "not ok - $1: no '$3' in $2"
		failed=1
	fi
}

# bad NAME MESSAGE: a.sql, from standard input, is refused with the message.
bad() {
	cat >a.sql
	files=a.sql
	if compile h >stmts.h 2>err; then
		echo "not ok - $1: was accepted"
		failed=1
	elif ! grep -F -q -- "$2" err; then
		echo "not ok - $1: no '$2' in:"
		cat err
		failed=1
	else
		echo "ok - $1"
	fi
}

cat >a.sql <<'END'
-- About this file; a '?' here counts for nothing.

-- name: plain
-- Its document, with "quotes".
SELECT a, 'it''s; -- ? "x" \' FROM t	-- ? a comment
WHERE b = ? AND c IN (?, ?);

-- name: two @sqlite
INSERT OR IGNORE INTO t VALUES (?);
-- name: two @mysql
INSERT IGNORE INTO t VALUES (?);

-- name: alone @sqlite only
PRAGMA x = 1;
-- name: names
-- A name is no parameter.
SELECT `?` FROM `?` WHERE a = ?;
-- name: of_{hour,day,week} @sqlite
SELECT {hour,day,week} FROM {hour,day,week}s
WHERE a = ?;
-- name: of_{hour,day,week} @mysql
-- Likewise.
SELECT {hour,day,week} FROM my_{hour,day,week} WHERE a = ?;	-- ?
-- name: with_reads
WITH w AS (SELECT 1) SELECT * FROM w;
-- name: with_writes
WITH w AS (SELECT 1) DELETE FROM t WHERE a IN w;
END
mkdir -p sqlite
printf 'CREATE TABLE t (a);	-- "a"\n' >sqlite/0001-init.sql
printf 'CREATE TABLE u (a);\n' >sqlite/0002-next.sql
files="a.sql sqlite/0001-init.sql sqlite/0002-next.sql"
good "statements and migrations become C"
has "parameters are counted" stmts.h 'STMT_PLAIN,	/* 3 parameters, reads */'
has "quotes keep what is in them" stmts.c "it''s; -- ? \\\"x\\\" \\\\'"
has "each dialect has its text" stmts.c 'INSERT IGNORE INTO t VALUES (?)'
has "WITH may read" stmts.h 'STMT_WITH_READS,	/* 0 parameters, reads */'
has "WITH may write" stmts.h 'STMT_WITH_WRITES,	/* 0 parameters, writes */'
has "marks of names are no parameters" stmts.h 'STMT_NAMES,	/* 1 parameter, reads */'
has "one text makes several" stmts.h 'STMT_OF_WEEK,	/* 1 parameter, reads */'
has "each with its word" stmts.c 'SELECT day FROM my_day WHERE a = ?'
has "migrations keep their names" stmts.c '{ "next",'
if grep -q "Its document\|a comment" stmts.c; then
	echo "not ok - comments stay out"
	failed=1
else
	echo "ok - comments stay out"
fi

bad "a name is taken once" "a.sql:3: statement a is there already (a.sql:1)" <<'END'
-- name: a
SELECT 1;
-- name: a
SELECT 2;
END
bad "a choice has two words" 'write it as "-- name: lower_case' <<'END'
-- name: a_{b}
SELECT 1;
END
bad "one of several is taken once" "a.sql:3: statement a_c is there already" <<'END'
-- name: a_{b,c}
SELECT 1;
-- name: a_c
SELECT 2;
END
bad "a dialect is taken once" "a.sql:3: statement a is there already" <<'END'
-- name: a @sqlite
SELECT 1;
-- name: a @sqlite
SELECT 2;
END
bad "all dialects or each" "a.sql:3: statement a is there already" <<'END'
-- name: a @sqlite
SELECT 1;
-- name: a
SELECT 2;
END
bad "no dialect is missing" "a.sql:1: statement a has no text for @mysql" <<'END'
-- name: a @sqlite
SELECT 1;
END
bad "a dialect is a known one" "a.sql:1: unknown dialect @oracle" <<'END'
-- name: a @oracle
SELECT 1;
END
bad "dialects take the same parameters" "has 2 parameters here and 1" <<'END'
-- name: a @sqlite
SELECT ?;
-- name: a @mysql
SELECT ?, ?;
END
bad "a statement ends" "a.sql:1: statement a has no ';' at its end" <<'END'
-- name: a
SELECT 1
-- name: b
SELECT 2;
END
bad "the last statement ends" "a.sql:1: statement a has no ';' at its end" <<'END'
-- name: a
SELECT 1
END
bad "a name has one statement" "a.sql:3: text after the ';' of a" <<'END'
-- name: a
SELECT 1;
SELECT 2;
END
bad "a line has one statement" "a.sql:2: text after the ';' of a" <<'END'
-- name: a
SELECT 1; SELECT 2;
END
bad "a statement has a name" "a.sql:1: text before the first" <<'END'
SELECT 1;
END
bad "a statement has a text" "a.sql:1: statement a has no text" <<'END'
-- name: a
-- only a comment
;
END
bad "names are in lower case" 'write it as "-- name: lower_case' <<'END'
-- name: Key
SELECT 1;
END
bad "a name is written in one way" 'a.sql:1: write it as' <<'END'
--name: a
SELECT 1;
END
bad "numbered parameters are refused" "a.sql:2: parameters are written as" <<'END'
-- name: a
SELECT ?1;
END
bad "named parameters are refused" "a.sql:2: parameters are written as" <<'END'
-- name: a
SELECT :id;
END
bad "quotes are closed" "a.sql:2: quote ' is not closed" <<'END'
-- name: a
SELECT 'x;
END
bad "block comments are refused" 'comments start with "--"' <<'END'
-- name: a
SELECT 1 /* x */;
END
bad "an empty set is refused" "there is no statement" </dev/null

echo 'SELECT 1;' >sqlite/0004-gap.sql
printf -- '-- name: a\nSELECT 1;\n' >a.sql
files="a.sql sqlite/0001-init.sql sqlite/0004-gap.sql"
if compile h >stmts.h 2>err || ! grep -q "does not follow 1" err; then
	echo "not ok - migrations have no gap"
	failed=1
else
	echo "ok - migrations have no gap"
fi
exit $failed
