/*
 * Logging, for programs only: libraries return errors. One line an entry, on stderr: time, level, module, text.
 * Control characters are made visible, so what a terminal printed cannot forge a line. When we go on
 * although something failed, the line ends in "ignoring".
 */
#pragma once

#include "base/macros.h"

#include <syslog.h>

extern int log_max;                                      /* highest level written; LOG_NOTICE by default */

void log_open(const char *program);                      /* level from $PTERM_LOG (err warning notice info debug) */
void log_write(int level, const char *module, const char *fmt, ...) _printf_(3, 4);

#define log_at(lv, ...) do { if ((lv) <= log_max) log_write((lv), LOG_MODULE, __VA_ARGS__); } while (0)
#define log_err(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
