#include "config.h"

#include <stdbool.h>
#include <string.h>

#include "doctor_judge.h"

/*
 * What to write where.  @mount@, @relay@ and @admin@ are filled in; each line
 * is as it stands in a config file, or a sentence.
 */
static const char *const remedies[WEB_NPROBLEMS][WEB_NSERVERS] = {
	[WEB_NO_AUTHORIZATION] = {
		[WEB_NGINX] =
"nginx passes Authorization on by itself: look for what takes it away, such\n"
"as these in the location of @mount@/, or a proxy in front:\n"
"    fastcgi_pass_request_headers off;\n"
"    fastcgi_param HTTP_AUTHORIZATION ...;",
		[WEB_APACHE] =
"Apache drops Authorization unless told otherwise:\n"
"    <Location \"@mount@/\">\n"
"        CGIPassAuth On\n"
"    </Location>",
		[WEB_CADDY] =
"Caddy passes Authorization on by itself: take this out of reverse_proxy:\n"
"    header_up -Authorization",
	},
	[WEB_NO_API_KEY] = {
		[WEB_NGINX] =
"nginx passes x-api-key on by itself: look for what takes it away, such as\n"
"these in the location of @mount@/, or a proxy in front:\n"
"    fastcgi_pass_request_headers off;\n"
"    fastcgi_param HTTP_X_API_KEY ...;",
		[WEB_APACHE] =
"Apache passes x-api-key on by itself: take out what removes it:\n"
"    RequestHeader unset x-api-key",
		[WEB_CADDY] =
"Caddy passes x-api-key on by itself: take this out of reverse_proxy:\n"
"    header_up -x-api-key",
	},
	[WEB_BUFFERED] = {
		[WEB_NGINX] =
"In the location of @mount@/:\n"
"    fastcgi_buffering off;\n"
"and without:\n"
"    fastcgi_ignore_headers X-Accel-Buffering;\n"
"An nginx that stands in front of this one as a proxy needs:\n"
"    proxy_buffering off;",
		[WEB_APACHE] =
"Behind ProxyPass, or ProxySet in <Proxy>, flushpackets=on:\n"
"    ProxyPass \"@mount@/\" \"@relay@@mount@/\" "
"flushpackets=on timeout=3600 retry=0",
		[WEB_CADDY] =
"In the reverse_proxy of @mount@/:\n"
"    flush_interval -1\n"
"and without buffer_responses (Caddy 2.6) or response_buffers (newer).",
	},
	[WEB_COMPRESSED] = {
		[WEB_NGINX] =
"In the location of @mount@/ (or text/event-stream out of gzip_types):\n"
"    gzip off;",
		[WEB_APACHE] =
"mod_deflate and mod_brotli gather what they compress; switch them off for\n"
"the relay:\n"
"    SetEnvIf Request_URI \"^@mount@/\" no-gzip no-brotli",
		[WEB_CADDY] =
"Move `encode' from the top of the site into the handle blocks of other\n"
"paths, so that it does not hold for @mount@/.",
	},
	[WEB_BODY_LIMIT] = {
		[WEB_NGINX] =
"In the location of @mount@/ (the relay has its own bound, body_max_bytes):\n"
"    client_max_body_size 0;\n"
"If it says 500: the disk of client_body_temp_path is full, or not nginx's to\n"
"write to; this sends bodies on as they come:\n"
"    fastcgi_request_buffering off;",
		[WEB_APACHE] =
"In <Location \"@mount@/\"> (the relay has its own bound, body_max_bytes):\n"
"    LimitRequestBody 0\n"
"and with mod_security: SecRequestBodyLimit; with mod_reqtimeout:\n"
"    RequestReadTimeout body=60,MinRate=500",
		[WEB_CADDY] =
"In the handle block of @mount@/ and at the top of the site, without:\n"
"    request_body {\n"
"        max_size ...\n"
"    }",
	},
	[WEB_SILENCE] = {
		[WEB_NGINX] =
"In the location of @mount@/ (the default is 60s):\n"
"    fastcgi_read_timeout 1h;\n"
"    fastcgi_send_timeout 1h;\n"
"An nginx that stands in front of this one as a proxy needs:\n"
"    proxy_read_timeout 1h;",
		[WEB_APACHE] =
"Behind ProxyPass, or ProxySet in <Proxy>, timeout=3600 (the default is\n"
"ProxyTimeout, else Timeout):\n"
"    ProxyPass \"@mount@/\" \"@relay@@mount@/\" "
"flushpackets=on timeout=3600 retry=0",
		[WEB_CADDY] =
"In `transport fastcgi' of the reverse_proxy of @mount@/, without:\n"
"    read_timeout\n"
"and in the global options, without `servers { timeouts { write } }'.",
	},
	[WEB_NOT_ROUTED] = {
		[WEB_NGINX] =
"In the server { } of this site:\n"
"    location @mount@/ {\n"
"        include fastcgi_params;\n"
"        fastcgi_pass @relay@;\n"
"        fastcgi_buffering off;\n"
"        fastcgi_read_timeout 1h;\n"
"        client_max_body_size 0;\n"
"    }",
		[WEB_APACHE] =
"In the <VirtualHost> of this site, with mod_proxy_fcgi:\n"
"    ProxyPass \"@mount@/\" \"@relay@@mount@/\" "
"flushpackets=on timeout=3600 retry=0\n"
"    <Location \"@mount@/\">\n"
"        CGIPassAuth On\n"
"    </Location>",
		[WEB_CADDY] =
"In the block of this site:\n"
"    handle @mount@/* {\n"
"        reverse_proxy @relay@ {\n"
"            flush_interval -1\n"
"            transport fastcgi\n"
"        }\n"
"    }",
	},
	[WEB_DOWN] = {
		[WEB_NGINX] =
"nginx's error_log says why: `No such file' or `Connection refused': the\n"
"pool does not run, or on another socket than\n"
"    fastcgi_pass @relay@;\n"
"`Permission denied': nginx's user may not write to the socket\n"
"(spawn-fcgi -U www-data -M 0660) or not pass through its folder.",
		[WEB_APACHE] =
"Apache's ErrorLog says why: `No such file' or `Connection refused': the\n"
"pool does not run, or on another socket than\n"
"    ProxyPass \"@mount@/\" \"@relay@@mount@/\"\n"
"`Permission denied': Apache's user may not write to the socket\n"
"(spawn-fcgi -U www-data -M 0660) or not pass through its folder.",
		[WEB_CADDY] =
"Caddy's log says why: `no such file' or `connection refused': the pool does\n"
"not run, or on another socket than\n"
"    reverse_proxy @relay@\n"
"`permission denied': Caddy's user may not write to the socket\n"
"(spawn-fcgi -U caddy -M 0660) or not pass through its folder.",
	},
	[WEB_TO_ADMIN] = {
		[WEB_NGINX] =
"The location of the admin responder takes too much; it should be:\n"
"    location ~ ^@mount@/(?:api/v1/(?!messages|models|chat|sessions)"
"|metrics$) {\n"
"        include fastcgi_params;\n"
"        fastcgi_pass @admin@;\n"
"    }\n"
"and `location @mount@/' the relay's: fastcgi_pass @relay@;",
		[WEB_APACHE] =
"The ProxyPassMatch of the admin responder takes too much; it should be, in\n"
"front of the relay's ProxyPass:\n"
"    ProxyPassMatch \"^@mount@/(api/v1/(?!messages|models|chat|sessions).*"
"|metrics)$\" \"@admin@/\"\n"
"    ProxyPass \"@mount@/\" \"@relay@@mount@/\" "
"flushpackets=on timeout=3600 retry=0",
		[WEB_CADDY] =
"The matcher of the admin responder takes too much; it should be:\n"
"    @@admin path_regexp ^@mount@/(api/v1/.*|metrics)$\n"
"    @@relay path @mount@/api/v1/messages* @mount@/api/v1/models* "
"@mount@/api/v1/chat* @mount@/api/v1/sessions*\n"
"with `handle @@relay' in front of `handle @@admin'.",
	},
	[WEB_TO_RELAY] = {
		[WEB_NGINX] =
"Lead the admin routes to their own responder:\n"
"    location ~ ^@mount@/(?:api/v1/(?!messages|models|chat|sessions)"
"|metrics$) {\n"
"        include fastcgi_params;\n"
"        fastcgi_pass @admin@;\n"
"    }",
		[WEB_APACHE] =
"Lead the admin routes to their own responder, in front of the relay's\n"
"ProxyPass:\n"
"    ProxyPassMatch \"^@mount@/(api/v1/(?!messages|models|chat|sessions).*"
"|metrics)$\" \"@admin@/\"",
		[WEB_CADDY] =
"Lead the admin routes to their own responder:\n"
"    @@admin path_regexp ^@mount@/(api/v1/.*|metrics)$\n"
"    handle @@admin {\n"
"        reverse_proxy @admin@ {\n"
"            transport fastcgi\n"
"        }\n"
"    }\n"
"behind a `handle' of the relay's paths @mount@/api/v1/messages* "
"@mount@/api/v1/models* @mount@/api/v1/chat* @mount@/api/v1/sessions*.",
	},
	[WEB_HTTP10] = {
		[WEB_NGINX] =
"The nginx in front, in the location whose proxy_pass leads here:\n"
"    proxy_http_version 1.1;\n"
"    proxy_set_header Connection \"\";\n"
"    proxy_buffering off;",
		[WEB_APACHE] =
"Apache speaks HTTP/1.1 by itself, to clients and, as a proxy, to what stands\n"
"behind it: take out what tells it otherwise:\n"
"    SetEnv force-proxy-request-1.0\n"
"    SetEnv proxy-nokeepalive\n"
"    SetEnvIf ... downgrade-1.0 force-response-1.0",
		[WEB_CADDY] =
"Caddy never speaks HTTP/1.0 by itself: look for another proxy on the way.\n"
"An nginx there needs:\n"
"    proxy_http_version 1.1;\n"
"    proxy_set_header Connection \"\";",
	},
};

struct text {
	char *out;
	size_t size, len;
};

static void
put(struct text *t, const char *p, size_t n)
{

	if (t->size == 0)
		return;
	if (n > t->size - 1 - t->len)
		n = t->size - 1 - t->len;
	memcpy(t->out + t->len, p, n);
	t->len += n;
	t->out[t->len] = '\0';
}

static void
put_text(struct text *t, const char *s)
{

	put(t, s, strlen(s));
}

/* Where a pool listens, as a web server's settings say it. */
static void
put_socket(struct text *t, enum web_server server, const char *where)
{
	static const struct {
		const char *before, *after;	/* of a path ... */
		const char *scheme;		/* ... and before an address */
	} forms[WEB_NSERVERS] = {
		[WEB_NGINX] = { "unix:", "", "" },
		[WEB_APACHE] = { "unix:", "|fcgi://localhost", "fcgi://" },
		[WEB_CADDY] = { "unix/", "", "" },
	};
	bool is_path = where[0] == '/';

	put_text(t, is_path ? forms[server].before : forms[server].scheme);
	put_text(t, where);
	put_text(t, is_path ? forms[server].after : "");
}

/* Put what stands for the name at an '@'; how long that name is. */
static size_t
put_filling(struct text *t, const char *at, enum web_server server,
    const struct web_place *place)
{

	if (strncmp(at, "@mount@", 7) == 0) {
		put_text(t, place->mount);
		return (7);
	}
	if (strncmp(at, "@relay@", 7) == 0) {
		put_socket(t, server, place->relay_socket);
		return (7);
	}
	if (strncmp(at, "@admin@", 7) == 0) {
		put_socket(t, server, place->admin_socket);
		return (7);
	}
	put(t, "@", 1);
	return (strncmp(at, "@@", 2) == 0 ? 2 : 1);
}

static void
put_filled(struct text *t, const char *p, enum web_server server,
    const struct web_place *place)
{
	size_t n;

	while (*p != '\0') {
		n = strcspn(p, "@");
		put(t, p, n);
		p += n;
		if (*p != '\0')
			p += put_filling(t, p, server, place);
	}
}

void
web_remedy(enum web_problem problem, enum web_server server,
    const struct web_place *place, char *out, size_t size)
{
	struct text t = { out, size, 0 };
	enum web_server s;

	put(&t, "", 0);
	for (s = 0; s < WEB_NSERVERS; s++) {
		if (server != WEB_UNKNOWN && server != s)
			continue;
		if (t.len > 0)
			put(&t, "\n", 1);
		if (server == WEB_UNKNOWN) {
			put_text(&t, "If it is ");
			put_text(&t, web_server_title(s));
			put_text(&t, ":\n");
		}
		put_filled(&t, remedies[problem][s], s, place);
	}
}
