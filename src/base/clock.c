/*
 * clock.c - reading the clocks, and RFC 3339 text both ways.
 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define TIME_LEAST (-62167219200) /* 0000-01-01T00:00:00Z */
#define TIME_MOST  253402300799   /* 9999-12-31T23:59:59Z, X.509's last second */

static _Atomic int64_t wall_offset; /* seconds; tests only */

static struct timespec
read_clock(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	/* Fails for an unknown clock id only. */
	(void)clock_gettime(id, &ts);
	return ts;
}

int64_t
clock_now(void)
{
	return (int64_t)read_clock(CLOCK_REALTIME).tv_sec + atomic_load(&wall_offset);
}

int64_t
clock_now_ms(void)
{
	struct timespec ts = read_clock(CLOCK_REALTIME);

	return ((int64_t)ts.tv_sec + atomic_load(&wall_offset)) * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
	struct timespec ts = read_clock(CLOCK_MONOTONIC);

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t
clock_mono_us(void)
{
	struct timespec ts = read_clock(CLOCK_MONOTONIC);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void
clock_offset_set(int64_t seconds)
{
	atomic_store(&wall_offset, seconds);
}

int64_t
clock_offset(void)
{
	return atomic_load(&wall_offset);
}

/* "2026-11-21T06:20:57"; years that RFC 3339 cannot write are clamped. */
static void
date_time(char *out, int64_t t)
{
	struct tm tm;
	time_t tt;

	if (t < TIME_LEAST)
		t = TIME_LEAST;
	if (t > TIME_MOST)
		t = TIME_MOST;
	tt = (time_t)t;
	memset(&tm, 0, sizeof(tm));
	gmtime_r(&tt, &tm);
	if (strftime(out, TIME_TEXT_MAX, "0000-%m-%dT%H:%M:%S", &tm) == 0)
		out[0] = '\0';
	/* strftime's %Y does not pad years below 1000. */
	snprintf(out, 5, "%04u", (unsigned)(tm.tm_year + 1900) % 10000);
	out[4] = '-';
}

void
time_rfc3339(char *out, int64_t t)
{
	date_time(out, t);
	strcat(out, "Z");
}

void
time_rfc3339_ms(char *out, int64_t t_ms)
{
	int64_t t = t_ms / 1000, ms = t_ms % 1000;
	size_t len;

	if (ms < 0) {
		ms += 1000;
		t--;
	}
	date_time(out, t);
	len = strlen(out);
	snprintf(out + len, TIME_TEXT_MAX - len, ".%03uZ", (unsigned)ms % 1000);
}

/* `n` digits at *s, then `then` (0: anything); moves *s past both. */
static bool
digits(const char **s, int n, char then, int *out)
{
	int v = 0;

	for (; n > 0; n--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		v = v * 10 + (**s - '0');
	}
	*out = v;
	if (then == '\0')
		return true;
	if (**s != then)
		return false;
	(*s)++;
	return true;
}

/* RFC 3339 time-offset: "Z" or "+02:00"; seconds east of UTC. */
static bool
offset_parse(const char **s, int64_t *east)
{
	char sign = **s;
	int h, m;

	if (sign == '\0')
		return false;
	(*s)++;
	*east = 0;
	if (sign == 'Z' || sign == 'z')
		return true;
	if (sign != '+' && sign != '-')
		return false;
	if (!digits(s, 2, ':', &h) || !digits(s, 2, '\0', &m) || h > 23 || m > 59)
		return false;
	*east = (h * 60 + m) * 60;
	if (sign == '-')
		*east = -*east;
	return true;
}

/* A fraction is allowed and dropped: "one digit or more". */
static bool
fraction_skip(const char **s)
{
	if (**s != '.')
		return true;
	(*s)++;
	if (**s < '0' || **s > '9')
		return false;
	while (**s >= '0' && **s <= '9')
		(*s)++;
	return true;
}

static bool
date_parse(const char **s, struct tm *tm)
{
	return digits(s, 4, '-', &tm->tm_year) && digits(s, 2, '-', &tm->tm_mon) &&
	    digits(s, 2, '\0', &tm->tm_mday) && tm->tm_mon >= 1 && tm->tm_mon <= 12 &&
	    tm->tm_mday >= 1;
}

/* Second 60 is RFC 3339's leap second; it counts as the next minute's first. */
static bool
clock_parse(const char **s, struct tm *tm)
{
	return digits(s, 2, ':', &tm->tm_hour) && digits(s, 2, ':', &tm->tm_min) &&
	    digits(s, 2, '\0', &tm->tm_sec) && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
	    tm->tm_sec <= 60;
}

enum rc
time_parse_rfc3339(int64_t *t, const char *s, struct err *err)
{
	const char *p = s;
	struct tm tm, day;
	int64_t east;

	memset(&tm, 0, sizeof(tm));
	if (!date_parse(&p, &tm) || (*p != 'T' && *p != 't' && *p != ' '))
		goto bad;
	p++;
	if (!clock_parse(&p, &tm) || !fraction_skip(&p) || !offset_parse(&p, &east) || *p != '\0')
		goto bad;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	/* timegm() turns 31 February into March: a day that moves does not exist. */
	day = (struct tm){ .tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday };
	(void)timegm(&day);
	if (day.tm_mday != tm.tm_mday)
		goto bad;
	*t = (int64_t)timegm(&tm) - east;
	return RC_OK;
bad:
	return fail(err, RC_PARSE, "\"%.40s\" is not a time like 2026-11-21T06:20:57Z", s);
}

/* A number alone would be seconds elsewhere; here it is a year or a day that somebody has not finished. */
static bool
span_parse(int64_t *t, const char *s, int64_t now)
{
	int64_t span;

	if (s[strspn(s, "0123456789")] == '\0' || parse_duration(&span, s, NULL) != RC_OK)
		return false;
	return !__builtin_add_overflow(now, span, t);
}

enum rc
time_parse_end(int64_t *t, const char *s, int64_t now, struct err *err)
{
	char day[TIME_TEXT_MAX];
	int64_t at;

	(void)snprintf(day, sizeof(day), "%.10sT23:59:59Z", s);
	if (time_parse_rfc3339(&at, strlen(s) == 10 ? day : s, NULL) != RC_OK &&
	    !span_parse(&at, s, now))
		return fail(err, RC_PARSE,
		    "\"%.40s\" is neither a time as 2026-12-24T18:00:00Z, nor a day as 2026-12-24, "
		    "nor a span as 8h or 7d",
		    s);
	if (at <= now)
		return fail(err, RC_PARSE, "%.40s is over already", s);
	*t = at;
	return RC_OK;
}
