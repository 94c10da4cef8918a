#include "base/progress.h"

#include "base/str.h"

void progress_step(const struct progress *p, const char *fmt, ...)
{
	_str_ text = STR_INIT;
	va_list ap;

	if (p == NULL)
		return;
	va_start(ap, fmt);
	str_addfv(&text, fmt, ap);
	va_end(ap);
	p->step(p->data, text.buf);
}
