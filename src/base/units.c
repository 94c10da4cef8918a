#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

uint64_t time_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t time_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

int parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (*end != '\0')
		return -EINVAL;
	if (errno != 0 || v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "kmgt";
	double factor = 1, v;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	v = strtod(text, &end);
	if (*end != '\0' && (unit = strchr(units, tolower((unsigned char)*end))) != NULL) {
		factor = (double)(1ull << 10 * (unit - units + 1));
		end++;
		if (tolower((unsigned char)end[0]) == 'i' && tolower((unsigned char)end[1]) == 'b')
			end += 2;
	}
	if (tolower((unsigned char)*end) == 'b')
		end++;
	if (*end != '\0' || !(v * factor < 9e18))
		return -EINVAL;
	*ret_bytes = (uint64_t)(v * factor);
	return 0;
}

int parse_span_ms(const char *text, uint64_t *ret_ms)
{
	static const struct { const char *unit; double ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60e3 }, { "h", 3600e3 }, { "d", 86400e3 }, { "w", 604800e3 },
	};
	double sum = 0;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	while (*text != '\0') {
		char *end;
		const double v = isdigit((unsigned char)*text) ? strtod(text, &end) : -1;
		double factor = 0;
		size_t n;

		if (v < 0)
			return -EINVAL;
		n = strspn(end, "abcdefghijklmnopqrstuvwxyz");
		for (size_t i = 0; i < array_len(units); i++)
			if (strlen(units[i].unit) == n && strncmp(units[i].unit, end, n) == 0)
				factor = units[i].ms;
		if (n == 0 && *end == '\0' && sum == 0)
			factor = 1000;
		if (factor == 0)
			return -EINVAL;
		sum += v * factor;
		text = end + n;
	}
	if (!(sum < 1e16))
		return -EINVAL;
	*ret_ms = (uint64_t)sum;
	return 0;
}

int parse_instant_ms(const char *text, uint64_t now_ms, uint64_t *ret_ms)
{
	struct tm tm = { 0 };
	const char *p = strptime(text, "%Y-%m-%d", &tm);
	uint64_t span, ms = 0;
	long offset = 0;
	time_t t;

	if (parse_span_ms(text, &span) == 0) {
		*ret_ms = span < now_ms ? now_ms - span : 0;
		return 0;
	}
	if (p == NULL)
		return -EINVAL;
	if (*p == 'T' || *p == ' ') {
		p = strptime(p + 1, "%H:%M:%S", &tm);
		if (p == NULL)
			return -EINVAL;
	}
	if (*p == '.') {
		uint64_t unit = 100;

		for (p++; isdigit((unsigned char)*p); p++, unit /= 10)
			ms += (uint64_t)(*p - '0') * unit;
	}
	if (*p == '+' || *p == '-') {
		int h, m;

		if (sscanf(p + 1, "%2d:%2d", &h, &m) != 2 || strlen(p) != 6)
			return -EINVAL;
		offset = (*p == '+' ? 1 : -1) * (h * 3600L + m * 60L);
	} else if (*p != '\0' && !str_eq(p, "Z") && !str_eq(p, "z")) {
		return -EINVAL;
	}
	t = timegm(&tm);
	if (t < 0 || t - offset < 0)
		return -EINVAL;
	*ret_ms = (uint64_t)(t - offset) * 1000 + ms;
	return 0;
}

void str_add_size(struct str *s, uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1024 && u + 2 < sizeof(units)) {
		v /= 1024;
		u++;
	}
	if (u == 0)
		str_addf(s, "%uB", (unsigned)v);
	else
		str_addf(s, v < 10 ? "%.1f%c" : "%.0f%c", v, units[u]);
}

void str_add_span(struct str *s, uint64_t ms)
{
	static const struct { uint64_t ms; const char *unit; } units[] = {
		{ 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" },
	};

	for (size_t i = 0; i < array_len(units); i++) {
		if (ms >= units[i].ms) {
			str_addf(s, "%llu%s", (unsigned long long)(ms / units[i].ms), units[i].unit);
			return;
		}
	}
	str_addf(s, "%ums", (unsigned)ms);
}

void str_add_instant(struct str *s, uint64_t ms)
{
	const time_t t = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	str_addf(s, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	         tm.tm_min, tm.tm_sec, (unsigned)(ms % 1000));
}
