# openapi.awk: a text as an array of C strings, a line each, that a null ends.
BEGIN {
	print "extern const char *const openapi_lines[];\n"
	print "const char *const openapi_lines[] = {"
}
{
	sub(/^\t+/, "")
	gsub(/\\/, "\\\\&")
	gsub(/"/, "\\\\&")
	print "\t\"" $0 "\","
}
END {
	print "\t0\n};"
}
