#include <errno.h>
#include <string.h>

#include "base/conf_internal.h"
#include "base/err.h"

/* Columns of a terminal that --help fills. */
#define WIDTH	78

/* Print ${text} in lines that begin with ${indent} blanks. */
static void
write_wrapped(FILE *out, const char *text, int indent)
{
	int column = 0, len;

	while (*text != '\0') {
		len = (int)strcspn(text, " ");
		if (column > 0 && column + 1 + len > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column == 0)
			column = fprintf(out, "%*s%.*s", indent, "", len, text);
		else
			column += fprintf(out, " %.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void
text_setting(FILE *out, const struct conf_setting *s)
{
	char allowed[128], all[1024];

	conf_allowed(s, allowed, sizeof(allowed));
	fprintf(out, "  %s = %s\n", s->name, s->def);
	(void)snprintf(all, sizeof(all), "%s Allowed: %s.%s", s->help, allowed,
	    s->reloadable ? " Taken over on SIGHUP." : "");
	write_wrapped(out, all, 6);
}

/* Foreign to roff are backslashes, and dots or quotes at a line's start. */
static void
write_roff(FILE *out, const char *text)
{
	const char *p;

	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (p = text; *p != '\0'; p++) {
		if (*p == '\\')
			fputs("\\e", out);
		else if (*p == '-')
			fputs("\\-", out);
		else
			fputc(*p, out);
	}
}

/* As roff wants it: each sentence begins a line. */
static void
write_sentences(FILE *out, const char *text)
{
	char line[512];
	const char *end;

	while ((end = strstr(text, ".  ")) != NULL) {
		(void)snprintf(line, sizeof(line), "%.*s", (int)(end + 1 -
		    text), text);
		write_roff(out, line);
		fputc('\n', out);
		text = end + 3;
	}
	write_roff(out, text);
}

/* "In the environment LEASEHOLD_STORE, or LEASEHOLD_STORE_FILE with ..." */
static void
mdoc_variables(FILE *out, const struct conf_setting *s)
{
	char name[CONF_NAME_SIZE];

	conf_variable(s, CONF_FROM_VARIABLE, name, sizeof(name));
	fprintf(out, "In the environment\n.Ev %s", name);
	if (s->from_file) {
		conf_variable(s, CONF_FROM_VARIABLE_FILE, name, sizeof(name));
		fprintf(out, " ,\nor\n.Ev %s\nwith a file that has it as its "
		    "first line.\n", name);
	} else {
		fputs(" .\n", out);
	}
}

static void
mdoc_setting(FILE *out, const struct conf_setting *s)
{
	char allowed[128];

	conf_allowed(s, allowed, sizeof(allowed));
	fprintf(out, ".It Ic %s No = Ar %s\n", s->name,
	    conf_type_name(s->type));
	write_sentences(out, s->help);
	fputs("\nAllowed:\n", out);
	write_roff(out, allowed);
	fputs(".\n", out);
	if (*s->def == '\0') {
		fputs("Empty by default.\n", out);
	} else {
		fputs("The default is\n.Ql ", out);
		write_roff(out, s->def);
		fputs(" .\n", out);
	}
	if (s->reloadable)
		fputs("Taken over on SIGHUP.\n", out);
	mdoc_variables(out, s);
}

static const struct format {
	const char *name;
	const char *head, *tail;
	void (*setting)(FILE *out, const struct conf_setting *s);
} formats[] = {
	{ "text", "", "", text_setting },
	{ "mdoc", ".Bl -tag -width Ds\n", ".El\n", mdoc_setting },
};

int
conf_write_table(FILE *out, const char *format, struct err *err)
{
	const struct conf_setting *s;
	const struct format *f = formats;
	const struct format *end = f + sizeof(formats) / sizeof(formats[0]);
	size_t n, i;

	while (f < end && strcmp(f->name, format) != 0)
		f++;
	if (f == end) {
		err_set(err, ERR_INVAL, "unknown format \"%s\"; there are text "
		    "and mdoc", format);
		return (-1);
	}
	s = conf_settings(&n);
	fputs(f->head, out);
	for (i = 0; i < n; i++)
		f->setting(out, &s[i]);
	fputs(f->tail, out);
	if (fflush(out) == EOF || ferror(out)) {
		err_set_errno(err, ERR_IO, errno, "cannot write the settings");
		return (-1);
	}
	return (0);
}
