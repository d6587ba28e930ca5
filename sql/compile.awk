# Turn the named statements and the migrations of this folder into C.
#
#	awk -v out=h -f compile.awk FILE ... > stmts.h
#	awk -v out=c -f compile.awk FILE ... > stmts.c
#
# A migration is a file sqlite/NNNN-name.sql or mysql/NNNN-name.sql; they
# are given in order, 0001 first, and go into the binary as they are.  All
# other files hold named statements:
#
#	-- name: key_by_hash
#	-- Comments that follow document it; they stay out of the binary.
#	SELECT id, enabled FROM api_key WHERE hash = ?;
#
#	-- name: slot_take @sqlite
#	...
#	-- name: slot_take @mysql
#	...
#	-- name: checkpoint @sqlite only
#
#	-- name: usage_{hour,day}_read
#	SELECT requests FROM usage_{hour,day} WHERE start_ms >= ?;
#
# The last makes two statements, in which each {hour,day} is hour and day.
# Without @ the text serves all dialects; with it each dialect has a text,
# unless `only' says that the others need none.  Parameters are `?', in the
# same number in each dialect.  A `?` in the quotes of names is none: the store
# puts names there, so that the statement is not run as it is.  A mistake is
# reported with file and line, and nothing is to be made of the output then (the
# exit status is 1).

BEGIN {
	ndialects = split("sqlite mysql", dialects, " ")
	for (i = 1; i <= ndialects; i++)
		is_dialect[dialects[i]] = i
	nnames = 0
	open_name = ""
	failed = 0
}

function fail(file, line, text)
{
	printf("%s:%d: %s\n", file, line, text) | "cat 1>&2"
	failed = 1
}

# The text of ${s} as the inside of a C string.
function quoted(s)
{
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\"", s)
	gsub(/\t/, "\\t", s)
	return (s)
}

# The statement that is being read has no end.
function end_file()
{
	if (open_name != "")
		fail(open_file, open_line, "statement " open_name \
		    " has no ';' at its end")
	open_name = ""
	migration = 0
}

function begin_migration(file,    parts, n, base, dialect, number)
{
	n = split(file, parts, "/")
	dialect = parts[n - 1]
	base = parts[n]
	sub(/\.sql$/, "", base)
	number = substr(base, 1, 4) + 0
	if (number != nmigrations[dialect] + 1)
		fail(file, 1, "migration " number " does not follow " \
		    nmigrations[dialect] + 0)
	nmigrations[dialect]++
	migration = nmigrations[dialect]
	migration_dialect = dialect
	migration_name[dialect, migration] = substr(base, 6)
	migration_sql[dialect, migration] = ""
}

FNR == 1 {
	end_file()
	if (FILENAME ~ /(sqlite|mysql)\/[0-9][0-9][0-9][0-9]-[a-z0-9_-]+\.sql$/)
		begin_migration(FILENAME)
	else if (FILENAME ~ /(sqlite|mysql)\//)
		fail(FILENAME, 1, "a migration is named NNNN-name.sql")
}

{
	sub(/\r$/, "")
}

migration {
	migration_sql[migration_dialect, migration] = \
	    migration_sql[migration_dialect, migration] \
	    "\n\t    \"" quoted($0) "\\n\""
	next
}

# ${s} as the ${n}th of the statements that are written as one has it.
function version(s, n,    i, out)
{
	out = ""
	while (choice != "" && (i = index(s, choice)) > 0) {
		out = out substr(s, 1, i - 1) choices[n]
		s = substr(s, i + length(choice))
	}
	return (out s)
}

# Which statements a name stands for: as many as it has choices, else one.
function read_choices(name,    from)
{
	choice = ""
	nchoices = 1
	if ((from = index(name, "{")) == 0)
		return
	choice = substr(name, from, index(name, "}") - from + 1)
	nchoices = split(substr(choice, 2, length(choice) - 2), choices, ",")
}

# The lines of the first have been read: the others are of the same ones.
function others(    n, i)
{
	for (n = 2; n <= nchoices; n++) {
		begin_statement(version(shared_name, n), shared_dialect, \
		    shared_only)
		for (i = 0; i < nlines; i++)
			scan(version(lines[i], n))
	}
}

# A line that starts a statement: "-- name: NAME [@DIALECT [only]]".
/^[ \t]*--[ \t]*[Nn][Aa][Mm][Ee][ \t]*:/ {
	if (open_name != "")
		end_file()
	if ($0 !~ /^-- name: [a-z][a-z0-9_]*([{][a-z]+(,[a-z]+)+[}][a-z0-9_]*)?( @[a-z]+( only)?)?$/) {
		fail(FILENAME, FNR, "write it as " \
		    "\"-- name: lower_case [@dialect [only]]\"")
		next
	}
	read_choices($3)
	shared_name = $3
	shared_dialect = substr($4, 2)
	shared_only = $5 == "only"
	nlines = 0
	begin_statement(version($3, 1), shared_dialect, shared_only)
	next
}

open_name == "" {
	line = $0
	sub(/--.*$/, "", line)
	if (line !~ /^[ \t]*$/)
		fail(FILENAME, FNR, ended ? "text after the ';' of " ended \
		    : "text before the first \"-- name:\"")
	next
}

{
	lines[nlines++] = $0
	scan(version($0, 1))
	if (open_name == "")
		others()
}

function begin_statement(name, dialect, only)
{
	open_name = name
	open_file = FILENAME
	open_line = FNR
	open_dialect = dialect == "" ? "*" : dialect
	text = ""
	nparams = 0
	if (dialect != "" && !(dialect in is_dialect))
		fail(FILENAME, FNR, "unknown dialect @" dialect)
	if (!(name in index_of)) {
		index_of[name] = nnames
		names[nnames++] = name
		where_file[name] = FILENAME
		where_line[name] = FNR
	}
	if ((name, open_dialect) in sql || (name, "*") in sql || \
	    (open_dialect == "*" && has_variant[name]))
		fail(FILENAME, FNR, "statement " name " is there already (" \
		    where_file[name] ":" where_line[name] ")")
	if (open_dialect != "*")
		has_variant[name] = 1
	if (only)
		is_only[name] = 1
}

# Take over one line of a statement: without its comment and its margins, up
# to the ';' that ends it.  Quotes do not go over the end of a line.
function scan(line,    i, n, c, quote, rest)
{
	sub(/^[ \t]+/, "", line)
	n = length(line)
	quote = ""
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		if (quote != "") {
			if (c == quote)
				quote = ""
		} else if (c == "'" || c == "\"" || c == "`")
			quote = c
		else if (c == "-" && substr(line, i + 1, 1) == "-")
			break
		else if (c == "/" && substr(line, i + 1, 1) == "*")
			fail(FILENAME, FNR, "comments start with \"--\"")
		else if (c == ";")
			break
		else if (c == "?")
			param(substr(line, i + 1, 1))
		else if (c ~ /[:@$]/ && substr(line, i + 1, 1) ~ /[A-Za-z_]/)
			fail(FILENAME, FNR, "parameters are written as '?'")
	}
	if (quote != "")
		fail(FILENAME, FNR, "quote " quote " is not closed")
	rest = substr(line, i)
	line = substr(line, 1, i - 1)
	sub(/[ \t]+$/, "", line)
	if (line != "")
		text = text == "" ? line : text "\n" line
	if (substr(rest, 1, 1) == ";")
		end_statement(substr(rest, 2))
}

function param(follows)
{
	if (follows ~ /[0-9]/)
		fail(FILENAME, FNR, "parameters are written as '?', without " \
		    "a number")
	nparams++
}

function end_statement(rest)
{
	sub(/--.*$/, "", rest)
	if (rest !~ /^[ \t]*$/)
		fail(FILENAME, FNR, "text after the ';' of " open_name)
	if (text == "")
		fail(open_file, open_line, "statement " open_name \
		    " has no text")
	if ((open_name in params) && params[open_name] != nparams)
		fail(open_file, open_line, "statement " open_name " has " \
		    nparams " parameters here and " params[open_name] \
		    " in another dialect")
	params[open_name] = nparams
	if (!reads(text))
		writes[open_name] = 1
	if (toupper(text) ~ /^(PRAGMA|SET) /)
		settings[open_name] = 1
	if (index(text, "`?`") > 0)
		marked[open_name] = 1
	sql[open_name, open_dialect] = text
	ended = open_name
	open_name = ""
}

# Does this only read?  What is in quotes or in brackets may lead astray to
# "no", which costs nothing but a transaction.
function reads(s)
{
	s = " " toupper(s) " "
	gsub(/[^A-Z_]+/, " ", s)
	if (s !~ /^ (SELECT|WITH|VALUES) /)
		return (0)
	return (s !~ / (INSERT|UPDATE|DELETE|MERGE) /)
}

function check_dialects(    i, d, name)
{
	for (i = 0; i < nnames; i++) {
		name = names[i]
		if (!has_variant[name] || is_only[name])
			continue
		for (d = 1; d <= ndialects; d++)
			if (!((name, dialects[d]) in sql))
				fail(where_file[name], where_line[name], \
				    "statement " name " has no text for @" \
				    dialects[d])
	}
}

# Versions mean the same everywhere, so dialects have the same numbers.
function check_migrations(    d, n)
{
	for (d = 1; d <= ndialects; d++) {
		n = nmigrations[dialects[d]] + 0
		if (n > 0 && n != nmigrations[dialects[1]])
			fail("sql/" dialects[d], n, "there are " n \
			    " migrations, and " nmigrations[dialects[1]] + 0 \
			    " of " dialects[1])
	}
}

function c_text(name, dialect)
{
	if ((name, dialect) in sql)
		return (sql[name, dialect])
	return ((name, "*") in sql ? sql[name, "*"] : "")
}

function print_header(    i, name)
{
	print "/* Made by sql/compile.awk from sql/; do not edit. */"
	print "#ifndef STMTS_H_\n#define STMTS_H_\n"
	print "#include <stdbool.h>\n#include <stddef.h>\n"
	print "/** The named statements of sql/. */\nenum stmt_id {"
	for (i = 0; i < nnames; i++) {
		name = names[i]
		printf("\tSTMT_%s,\t/* %d parameter%s, %s */\n", \
		    toupper(name), params[name], \
		    params[name] == 1 ? "" : "s", \
		    name in writes ? "writes" : "reads")
	}
	print "\tSTMT_COUNT\n};\n"
	print "enum stmt_dialect {"
	for (i = 1; i <= ndialects; i++)
		printf("\tSTMT_DIALECT_%s,\n", toupper(dialects[i]))
	print "\tSTMT_DIALECTS\n};\n"
	print "struct stmt {"
	print "\tconst char *name;"
	print "\tsize_t nparams;"
	print "\tbool read_only;"
	print "\tbool setting;\t\t/* acts as soon as it is prepared */"
	print "\tbool marked;\t\t/* names take the place of `?` in it */"
	print "\tconst char *sql[STMT_DIALECTS];\t/* NULL: not in this one */"
	print "};\n"
	print "extern const struct stmt stmts[STMT_COUNT];\n"
	print "/** The migrations of a dialect, from number 1 on; a row without" \
	    "\n * a name ends them. */"
	print "struct stmt_migration {\n\tconst char *name;"
	print "\tconst char *sql;\n};\n"
	print "extern const struct stmt_migration *const"
	print "    stmt_migrations[STMT_DIALECTS];\n"
	print "#endif /* !STMTS_H_ */"
}

function print_statement(name,    d, s)
{
	printf("\t[STMT_%s] = {\n", toupper(name))
	printf("\t\t.name = \"%s\",\n", name)
	printf("\t\t.nparams = %d,\n", params[name])
	printf("\t\t.read_only = %s,\n", name in writes ? "false" : "true")
	printf("\t\t.setting = %s,\n", name in settings ? "true" : "false")
	printf("\t\t.marked = %s,\n", name in marked ? "true" : "false")
	for (d = 1; d <= ndialects; d++) {
		s = quoted(c_text(name, dialects[d]))
		if (s == "")
			continue
		gsub(/\n/, "\\n\"\n\t\t    \"", s)
		printf("\t\t.sql[STMT_DIALECT_%s] =\n\t\t    \"%s\",\n", \
		    toupper(dialects[d]), s)
	}
	print "\t},"
}

function print_migrations(dialect,    i)
{
	printf("static const struct stmt_migration migrations_%s[] = {\n", \
	    dialect)
	for (i = 1; i <= nmigrations[dialect]; i++)
		printf("\t{ \"%s\",%s },\n", migration_name[dialect, i], \
		    migration_sql[dialect, i])
	print "\t{ NULL, NULL }\n};\n"
}

function print_source(    i)
{
	print "/* Made by sql/compile.awk from sql/; do not edit. */"
	print "#include \"stmts.h\"\n"
	print "const struct stmt stmts[STMT_COUNT] = {"
	for (i = 0; i < nnames; i++)
		print_statement(names[i])
	print "};\n"
	for (i = 1; i <= ndialects; i++)
		print_migrations(dialects[i])
	print "const struct stmt_migration *const"
	print "    stmt_migrations[STMT_DIALECTS] = {"
	for (i = 1; i <= ndialects; i++)
		printf("\t[STMT_DIALECT_%s] = migrations_%s,\n", \
		    toupper(dialects[i]), dialects[i])
	print "};"
}

END {
	end_file()
	check_dialects()
	check_migrations()
	if (nnames == 0 && !failed)
		fail("sql", 0, "there is no statement")
	if (failed) {
		close("cat 1>&2")
		exit(1)
	}
	if (out == "h")
		print_header()
	else
		print_source()
}
