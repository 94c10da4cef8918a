#include "base/log.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int log_max = LOG_NOTICE;
static const char *log_program = "pterm";
static const char *const level_names[] = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug" };

void log_open(const char *program)
{
	const char *level = getenv("PTERM_LOG");

	log_program = program;
	for (size_t i = 0; level != NULL && i < array_len(level_names); i++)
		if (str_eq(level, level_names[i]))
			log_max = (int)i;
}

void log_write(int level, const char *module, const char *fmt, ...)
{
	const int saved = errno;
	_str_ text = STR_INIT, line = STR_INIT;
	struct timespec now;
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	str_addfv(&text, fmt, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	str_addf(&line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s[%d] %s %s: ", tm.tm_year + 1900, tm.tm_mon + 1,
	         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000, log_program, (int)getpid(),
	         level_names[level & 7], module);
	str_add_visible(&line, text.buf, text.len);
	str_addc(&line, '\n');
	(void)!write(STDERR_FILENO, line.buf, line.len);
	errno = saved;
}
