#ifndef BASE_ZONE_H_
#define BASE_ZONE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/**
 * A time zone by its IANA name ("Europe/Berlin"), read from the machine's time
 * zone database: compiled files (TZif, RFC 8536, versions 1 to 4) under $TZDIR
 * or /usr/share/zoneinfo, and the rule at their end for the times after their
 * last transition.  "UTC" needs no file.
 *
 * A zone never changes once it is made: any number of threads may use it.
 * Times are milliseconds, of the years 1 to 9999 (ZONE_MIN_MS, ZONE_MAX_MS);
 * those more than a year beyond count as the nearest that is not.
 */
struct zone;

/* Longest name, with its NUL; the longest that IANA has is 32 bytes. */
#define ZONE_NAME_SIZE	64

#define ZONE_DAY_MS	INT64_C(86400000)
#define ZONE_MIN_MS	INT64_C(-62135596800000)
#define ZONE_MAX_MS	INT64_C(253402300799999)

/**
 * zone_name_ok(name):
 * Is it such a name as IANA gives?  A capital first, then letters, digits,
 * '_', '-', '+', and '/' between parts: it never leads out of the folder, nor
 * to files whose meaning differs between machines ("localtime").
 */
bool zone_name_ok(const char *name);

/**
 * zone_new(name, err):
 * Read the zone; reads a file of some KB, so not in the loop.  NULL with
 * ERR_INVAL: not a name; ERR_NOT_FOUND: no such zone on this machine; ERR_IO:
 * the file cannot be read; ERR_PROTO: it is damaged, or counts leap seconds;
 * ERR_NOMEM.  zone_free(z) takes NULL.
 */
struct zone *zone_new(const char *name, struct err *err)
    __attribute__((__warn_unused_result__));
void zone_free(struct zone *z);

/** zone_parse(name, data, n, err): As zone_new, from the bytes of a file. */
struct zone *zone_parse(const char *name, const void *data, size_t n,
    struct err *err) __attribute__((__warn_unused_result__));

/** zone_name(z): Borrow the name it was asked for by. */
const char *zone_name(const struct zone *z);

/** zone_offset_ms(z, utc_ms): Local time minus UTC at that instant. */
int64_t zone_offset_ms(const struct zone *z, int64_t utc_ms);

/**
 * zone_first_ms(z, local_ms):
 * The first instant at which clocks there show ${local_ms} (milliseconds since
 * 1970-01-01 00:00 local time) or later.  So of a time that comes twice it is
 * the first, and of one that is skipped the instant of the change.
 */
int64_t zone_first_ms(const struct zone *z, int64_t local_ms);

/**
 * zone_day(z, utc_ms), zone_day_start_ms(z, day):
 * Days are numbered from 1970-01-01, see clock_days.  The last day that has
 * begun at an instant, and the first instant of a day: its midnight, or what
 * zone_first_ms says of it.  So the days tile time even where clocks go back
 * over midnight, when the old date comes again for an hour and still counts as
 * the new day.  A day that a place skipped begins when the next one does, and
 * no instant lies in it.
 */
int64_t zone_day(const struct zone *z, int64_t utc_ms);
int64_t zone_day_start_ms(const struct zone *z, int64_t day);

/**
 * zone_rfc3339(z, utc_ms, out):
 * Write "2026-11-01T00:00:00+01:00" (no milliseconds) and a NUL.
 */
#define ZONE_RFC3339_SIZE 72
void zone_rfc3339(const struct zone *z, int64_t utc_ms,
    char out[ZONE_RFC3339_SIZE]);

#endif /* !BASE_ZONE_H_ */
